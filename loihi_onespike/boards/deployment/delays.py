"""The delays of a board's adapters, the windows of a network in what came back, and the search for the delays.

Image n stands in window n + 1 of every population: window 0 stays empty, so that the host can start ahead of the input
adapter's delay while all neurons keep their start step. With start s of a population, local step t of image n is

    step of the board = s + (n + 1) · period + t,        row of the host = step + delay - 1
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

TRIED_DELAYS = (1, 0, 2)
"""Steps that are tried, the most likely first: one according to remarks in public notebooks [C]."""


@dataclass(frozen=True)
class AdapterDelays:
    """Steps that the adapters between host and cores add.

    Attributes:
        input: From the host to cores.
        spikes: Spikes from cores to the host.
        state: Potentials from cores to the host.
    """

    input: int = 1
    spikes: int = 1
    state: int = 1

    @property
    def longest(self) -> int:
        """The longest of the two delays towards the host."""
        return max(self.spikes, self.state)

    def __str__(self) -> str:
        return f"input {self.input}, spikes {self.spikes}, potentials {self.state}"


@dataclass(frozen=True)
class DelayChoice:
    """The delays that a run may have: a number where the user gave one, None where all of `TRIED_DELAYS` are tried.

    Attributes:
        input, spikes, state: as in `AdapterDelays`.
    """

    input: int | None = None
    spikes: int | None = None
    state: int | None = None

    @property
    def known(self) -> bool:
        """True when no delay is left to be tried."""
        return None not in (self.input, self.spikes, self.state)

    def inputs(self) -> tuple[int, ...]:
        """Delays of the input adapter to try; each takes a run of its own."""
        return TRIED_DELAYS if self.input is None else (self.input,)

    def outputs(self, of_input: int) -> Iterator[AdapterDelays]:
        """All delays to compare one run with.

        Args:
            of_input: Delay of the input adapter that the run assumed.
        """
        of_spikes = TRIED_DELAYS if self.spikes is None else (self.spikes,)
        of_state = TRIED_DELAYS if self.state is None else (self.state,)
        for spikes, state in product(of_spikes, of_state):
            yield AdapterDelays(of_input, spikes, state)

    def longest(self) -> int:
        """The longest delay towards the host that may have to be waited for."""
        return max(delays.longest for delays in self.outputs(0))

    @classmethod
    def only(cls, delays: AdapterDelays) -> DelayChoice:
        """The choice that consists of known delays."""
        return cls(delays.input, delays.spikes, delays.state)
