"""Options of a run on Lava; importing them imports neither Lava nor h5py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from loihi_onespike.errors import ConfigurationError
from loihi_onespike.executors.protocol import ExecutorOptions, option

Precision: TypeAlias = Literal["fixed_pt", "floating_pt"]
"""Tag of the process models: integers equal to the oracle, or real numbers that neither round nor saturate."""
PRECISIONS = get_args(Precision)
SynapseKind: TypeAlias = Literal["own", "stock"]
"""own: our event-driven Synapse everywhere; stock: Lava's Dense, Conv and Sparse wherever they are exact."""
SYNAPSE_KINDS = get_args(SynapseKind)
ProcessKind: TypeAlias = Literal["graph", "whole"]
"""graph: a Lava process per population and per synapse; whole: one for the network, an order of magnitude faster."""
PROCESS_KINDS = get_args(ProcessKind)

Progress = Callable[[int, int], None]
"""Called with (steps done, steps in all)."""


@dataclass(frozen=True)
class LavaOptions(ExecutorOptions):
    """Options of the executor `lava`.

    Attributes:
        stream: images back to back, a new one every `network.period_steps`, several in the pipeline at a time. False:
            an image enters only when the one before has left the readout (the same pipeline with a longer period).
        precision: fixed_pt (integers, equal to the oracle bit for bit) or floating_pt (no rounding, no saturation).
        timeout_s: seconds for the whole run, start included; None for no limit.
        progress: called with (steps done, steps in all).
        synapses: own (event-driven) or stock (Lava's Dense, Conv and Sparse wherever they are exact).
        processes: graph (one per population and synapse) or whole (one for the network: the same spikes and
            potentials in a fraction of the time; fixed_pt and own synapses).

    Raises:
        ConfigurationError: a value, or a combination of values, that no process model serves.
    """

    stream: bool = field(default=True, metadata=option("A new image every period, several in the pipeline at a time."))
    precision: Precision = field(
        default="fixed_pt",
        metadata=option(
            "Integers, or real numbers that neither round nor saturate.", choices=PRECISIONS, changes_counts=True
        ),
    )
    timeout_s: float | None = field(
        default=None, metadata=option("Seconds for the whole run, start included; None for no limit.", above=0)
    )
    progress: Progress | None = field(
        default=None, metadata=option("Called with steps done and steps in all.", function=True)
    )
    synapses: SynapseKind = field(
        default="own",
        metadata=option(
            "Event-driven synapses, or Lava's Dense, Conv and Sparse wherever they are exact.", choices=SYNAPSE_KINDS
        ),
    )
    processes: ProcessKind = field(
        default="graph",
        metadata=option("A process per population and synapse, or one for the network.", choices=PROCESS_KINDS),
    )

    def __post_init__(self) -> None:
        """Check the values, then their combination."""
        super().__post_init__()
        check_combination(self.precision, self.synapses, self.processes)


def check_combination(precision: Precision, synapses: SynapseKind, processes: ProcessKind) -> None:
    """Raise ConfigurationError for a combination that no process model serves.

    Args:
        precision: tag of the process models.
        synapses: which processes carry the synapses.
        processes: a process per population and synapse, or one for all.
    """
    if synapses == "stock" and precision != "fixed_pt":
        raise ConfigurationError(
            "synapses: must be own with floating_pt, got stock; Lava's floating-point Dense and Sparse ignore "
            "weight_exp"
        )
    if processes == "whole" and (precision, synapses) != ("fixed_pt", "own"):
        raise ConfigurationError(
            f"processes: must be graph with {precision} and {synapses} synapses, got whole, which requires fixed_pt "
            "and own synapses"
        )
