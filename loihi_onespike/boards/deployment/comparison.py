"""Comparison of the spikes and outputs of a run with those of the oracle."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.boards.deployment.board_run import BoardRun
from loihi_onespike.boards.deployment.delays import AdapterDelays
from loihi_onespike.boards.deployment.windows import hold_step
from loihi_onespike.core.encoding import decode_readout
from loihi_onespike.core.graphs.network import Network
from loihi_onespike.core.step_trace import StepTrace
from loihi_onespike.core.trace import Trace, differing_spikes, first_difference

REMEDY = (
    "`onespike bringup` runs networks of a few neurons and names the readings of the instructions that would explain "
    "what the board does"
)


@dataclass(frozen=True)
class BoardComparison:
    """Agreement of a run with the oracle.

    Attributes:
        where: What ran: a board, what stands in for one, or Lava's CPU backend.
        images: Number of images compared.
        populations: Names of the populations whose spikes were compared.
        differing_spikes: Number of neurons, over images and populations, whose spikes differ.
        differing_outputs: Number of potentials of the readout that differ.
        same_class: Number of images for which both choose the same class.
        first: The first difference: population, neuron and step; empty when there is none.
        delays: Delays of the adapters; None where there are no adapters.
    """

    where: str
    images: int
    populations: tuple[str, ...]
    differing_spikes: int
    differing_outputs: int
    same_class: int
    first: str
    delays: AdapterDelays | None = None

    @property
    def equal(self) -> bool:
        """True when every spike and every output is equal."""
        return not self.differing_spikes and not self.differing_outputs

    @property
    def remedy(self) -> str:
        """What to try when the run differs; empty when it is equal."""
        return "" if self.equal else REMEDY

    def to_dict(self) -> dict[str, object]:
        """All fields, `equal` and `remedy` as JSON-compatible values."""
        return {**asdict(self), "equal": self.equal, "remedy": self.remedy}


def compare_traces(oracle: Trace, found: Trace, readout: str, where: str) -> BoardComparison:
    """Compare a rehearsal, of which everything is known.

    Args:
        oracle: Trace of the reference executor.
        found: Trace of the run.
        readout: Name of the readout.
        where: What ran.

    Returns:
        The comparison over all populations that spike, and the readout.
    """
    difference = first_difference(oracle, found)
    a, b = oracle.layers[readout].v, found.layers[readout].v
    assert a is not None and b is not None
    return BoardComparison(
        where,
        len(a),
        tuple(name for name, layer in oracle.layers.items() if layer.words is not None),
        differing_spikes(oracle, found),
        int(np.sum(a != b)),
        _same_class(oracle.output, found.output),
        "" if difference is None else str(difference),
    )


def compare_run(network: Network, expected: StepTrace, run: BoardRun, where: str, first: str = "") -> BoardComparison:
    """Compare a run on a board: the spikes that were read back, and the readout while its v is held.

    Args:
        network: The network that ran.
        expected: Spikes and potentials of the reference executor on the same images.
        run: What came back from the board.
        where: What ran.
        first: The first difference, where more populations were read to find it; by default that of the run.

    Returns:
        The comparison over the populations that were read back, and the readout.
    """
    at, name = hold_step(network) - 1, network.readout.name
    outputs, found = expected.v[name][:, at], run.trace.v[name][:, at]
    spikes = sum(int(np.any(a != run.trace.spikes[p], axis=1).sum()) for p, a in expected.spikes.items())
    same = _same_class(decode_readout(network.readout, outputs), decode_readout(network.readout, found))
    return BoardComparison(
        where,
        len(found),
        tuple(expected.spikes),
        spikes,
        int((outputs != found).sum()),
        same,
        first or run.first,
        run.delays,
    )


def _same_class(a: NDArray[np.float64], b: NDArray[np.float64]) -> int:
    return int((a.reshape(len(a), -1).argmax(axis=1) == b.reshape(len(b), -1).argmax(axis=1)).sum())
