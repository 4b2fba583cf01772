"""Options of the fast executor; importing them does not import torch."""

from __future__ import annotations

from dataclasses import dataclass, field

from loihi_onespike.executors.protocol import ExecutorOptions, option

DEFAULT_BUDGET_BYTES = 2 * 2**30


@dataclass(frozen=True)
class FastOptions(ExecutorOptions):
    """Options of the executor `fast`.

    Attributes:
        memory_budget: bytes that a run may take beside weights and inputs; a batch that needs more is run in parts.
    """

    memory_budget: int = field(
        default=DEFAULT_BUDGET_BYTES,
        metadata=option(
            "Bytes that a run may take beside weights and inputs; a batch that needs more is run in parts.", above=0
        ),
    )
