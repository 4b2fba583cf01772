"""Comparison of the spikes and outputs of a run with those of the oracle."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.boards.deployment.board_run import BoardRun
from loihi_onespike.boards.deployment.delays import AdapterDelays
from loihi_onespike.boards.deployment.windows import hold_step
from loihi_onespike.core.encoding import decode_outputs
from loihi_onespike.core.graphs.network import Network
from loihi_onespike.core.graphs.output_form import split
from loihi_onespike.core.step_trace import StepTrace
from loihi_onespike.core.trace import Trace, differing_spikes, first_difference, v_of_layers

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
        differing_outputs: Number of potentials of the readouts that differ.
        same_class: Number of images for which both choose the same class; with several readouts, for which the largest
            value of each of them stands at the same place.
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


def compare_traces(network: Network, oracle: Trace, found: Trace, where: str) -> BoardComparison:
    """Compare a rehearsal, of which everything is known.

    Args:
        network: The network that ran.
        oracle: Trace of the reference executor.
        found: Trace of the run.
        where: What ran.

    Returns:
        The comparison over all populations that spike, and the readouts.
    """
    difference = first_difference(oracle, found)
    of_oracle, of_run = (v_of_layers(trace.layers) for trace in (oracle, found))
    outputs = sum(int(np.sum(of_oracle[p.name] != of_run[p.name])) for p in network.readouts)
    return BoardComparison(
        where,
        len(oracle.output),
        tuple(name for name, layer in oracle.layers.items() if layer.words is not None),
        differing_spikes(oracle, found),
        outputs,
        _same_class(network, oracle.output, found.output),
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
        The comparison over the populations that were read back, and the readouts.
    """
    held = {p.name: hold_step(network, p.name) - 1 for p in network.readouts}
    outputs, found = ({name: v[name][:, at] for name, at in held.items()} for v in (expected.v, run.trace.v))
    spikes = sum(int(np.any(a != run.trace.spikes[p], axis=1).sum()) for p, a in expected.spikes.items())
    same = _same_class(network, decode_outputs(network, outputs), decode_outputs(network, found))
    return BoardComparison(
        where,
        len(run.trace.v[network.readouts[0].name]),
        tuple(expected.spikes),
        spikes,
        sum(int((outputs[name] != found[name]).sum()) for name in held),
        same,
        first or run.first,
        run.delays,
    )


def _same_class(network: Network, a: NDArray[np.float64], b: NDArray[np.float64]) -> int:
    pairs = zip(split(network, a), split(network, b), strict=True)
    same = [x.reshape(len(x), -1).argmax(axis=1) == y.reshape(len(y), -1).argmax(axis=1) for x, y in pairs]
    return int(np.all(same, axis=0).sum())
