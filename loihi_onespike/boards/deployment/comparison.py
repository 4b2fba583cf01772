"""Comparison of the spikes and outputs of a run with those of the oracle."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.boards.deployment.board_runner import BoardRun
from loihi_onespike.core.encoding import decode_readout
from loihi_onespike.core.graphs.network import Network
from loihi_onespike.core.trace import Trace, differing_spikes, first_difference

REMEDY = (
    "if every image differs, the adapters' delay may be another: try --input-delay 0 and 2, --output-delay 0 and 2; if "
    "some do, compare the program with `loihi_onespike.microcode`, population by population, with --spikes-of"
)


@dataclass(frozen=True)
class BoardComparison:
    """Agreement of a run with the oracle.

    Attributes:
        where: What ran: a board, or Lava's CPU backend.
        images: Number of images compared.
        populations: Names of the populations whose spikes were compared.
        differing_spikes: Number of neurons, over images and populations, whose spike phase differs.
        differing_outputs: Number of potentials of the readout that differ.
        same_class: Number of images for which both choose the same class.
        first: The first difference; empty when there is none.
    """

    where: str
    images: int
    populations: tuple[str, ...]
    differing_spikes: int
    differing_outputs: int
    same_class: int
    first: str

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


def compare_traces(oracle: Trace, found: Trace, readout: str) -> BoardComparison:
    """Compare a run on Lava's CPU backend, of which everything is known.

    Args:
        oracle: Trace of the reference executor.
        found: Trace of the run.
        readout: Name of the readout.

    Returns:
        The comparison over all populations that spike, and the readout.
    """
    difference = first_difference(oracle, found)
    a, b = oracle.layers[readout].v, found.layers[readout].v
    assert a is not None and b is not None
    return BoardComparison(
        "Lava's CPU backend",
        len(a),
        tuple(name for name, layer in oracle.layers.items() if layer.words is not None),
        differing_spikes(oracle, found),
        int(np.sum(a != b)),
        _same_class(oracle.output, found.output),
        "" if difference is None else str(difference),
    )


def compare_board(network: Network, oracle: Trace, run: BoardRun) -> BoardComparison:
    """Compare a run on a board: the spikes that were read back, and the readout.

    Args:
        network: The network that ran.
        oracle: Trace of the reference executor on the same images.
        run: What came back from the board.

    Returns:
        The comparison over the populations that were read back, and the readout.
    """
    assert run.v is not None
    expected = oracle.layers[network.readout.name].v
    assert expected is not None
    spikes, first = 0, ""
    for name, phases in run.phases.items():
        wrong = _differing(name, "phases", oracle.layers[name].words, phases)
        spikes, first = spikes + wrong[0], first or wrong[1]
    outputs, of_outputs = _differing(network.readout.name, "v", expected, run.v)
    output = decode_readout(network.readout, run.v)
    same = _same_class(oracle.output, output)
    return BoardComparison("board", len(run.v), tuple(run.phases), spikes, outputs, same, first or of_outputs)


def _differing(
    name: str, quantity: str, expected: NDArray[np.integer] | None, found: NDArray[np.integer]
) -> tuple[int, str]:
    assert expected is not None
    unequal = expected != found
    count = int(unequal.sum())
    if not count:
        return 0, ""
    index = tuple(int(i) for i in np.argwhere(unequal)[0])
    where = ", ".join(map(str, index))
    values = f"{int(expected[index])} and {int(found[index])}"
    return count, f"{name}: {count} values of {quantity} differ, first at [{where}]: {values}"


def _same_class(a: NDArray[np.float64], b: NDArray[np.float64]) -> int:
    return int((a.reshape(len(a), -1).argmax(axis=1) == b.reshape(len(b), -1).argmax(axis=1)).sum())
