"""What the search chooses, and out of what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any, Literal

from loihi_onespike.conversion.calibration import Method
from loihi_onespike.conversion.options import MAX_TIMESTEPS
from loihi_onespike.errors import ConfigurationError

AUTO: Literal["auto"] = "auto"
"""In the place of a base: levels fitted to the activations, or with the paper's method the base of Eq. 5."""


@dataclass(frozen=True)
class ConversionSetting:
    """One conversion.

    Attributes:
        timesteps: T.
        wait: steps before a neuron's first decision, 1..T; T is full wait.
        levels: "auto", or a base Q.
        two_sided: spikes of either sign around a middle value: twice the levels, up to twice the spikes.
    """

    timesteps: int
    wait: int
    levels: Literal["auto"] | float
    two_sided: bool

    def keywords(self, method: Method) -> dict[str, Any]:
        """What `convert` takes.

        Args:
            method: its other parts stay as they are.
        """
        return {
            "timesteps": self.timesteps,
            "wait": None if self.wait == self.timesteps else self.wait,
            "base": self.levels,
            "method": replace(method, two_sided=self.two_sided),
        }

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        return f"T={self.timesteps} wait={self.wait} Q={self.levels} {'two' if self.two_sided else 'one'}-sided"


@dataclass(frozen=True)
class Space:
    """What is searched: every combination of timesteps, wait as a share of T, levels and two_sided.

    Attributes:
        timesteps: values of T, increasing.
        wait_eighths: waits as eighths of T, rounded up; 8 is full wait. A share keeps its meaning when T changes.
        levels: "auto" and bases Q.
        two_sided: which of both are tried.
    """

    timesteps: tuple[int, ...] = (4, 6, 8, 10, 12, 14, 16, 20, 24, 32)
    wait_eighths: tuple[int, ...] = (2, 3, 4, 5, 6, 7, 8)
    levels: tuple[Literal["auto"] | float, ...] = (AUTO, 1.15, 1.2, 1.25, 1.3, 1.4, 1.5, 1.7, 2.0)
    two_sided: tuple[bool, ...] = (True, False)

    def __post_init__(self) -> None:
        for name, values in vars(self).items():
            if not values or len(set(values)) != len(values):
                raise ConfigurationError(f"{name}: found {values!r}, supported one value or more, each once")
        if min(self.timesteps) < 1 or max(self.timesteps) > MAX_TIMESTEPS:
            raise ConfigurationError(f"timesteps: found {self.timesteps}, supported 1 to {MAX_TIMESTEPS}")
        if min(self.wait_eighths) < 1 or max(self.wait_eighths) > 8:
            raise ConfigurationError(f"wait_eighths: found {self.wait_eighths}, supported 1 to 8")

    def setting(self, parameters: Mapping[str, int]) -> ConversionSetting:
        """From what a study stores: a position in each of the attributes."""
        timesteps = self.timesteps[parameters["timesteps"]]
        wait = -(-timesteps * self.wait_eighths[parameters["wait_eighths"]] // 8)
        return ConversionSetting(
            timesteps, wait, self.levels[parameters["levels"]], bool(self.two_sided[parameters["two_sided"]])
        )

    def grid(self) -> Iterator[dict[str, int]]:
        """A small grid to begin with: three T, two waits, both sides, the first kind of levels; long T first."""
        for timesteps in _spread(len(self.timesteps), 3)[::-1]:
            for wait in _spread(len(self.wait_eighths), 2)[::-1]:
                for side in range(len(self.two_sided)):
                    yield {"timesteps": timesteps, "wait_eighths": wait, "levels": 0, "two_sided": side}

    def everything(self) -> Iterator[dict[str, int]]:
        """All combinations."""
        names = tuple(vars(self))
        for places in product(*(range(len(values)) for values in vars(self).values())):
            yield dict(zip(names, places, strict=True))


def _spread(count: int, wanted: int) -> list[int]:
    """`wanted` of the positions 0..count-1 at even distances, the last among them."""
    return sorted({round((count - 1) * (i + 1) / wanted) for i in range(wanted)})
