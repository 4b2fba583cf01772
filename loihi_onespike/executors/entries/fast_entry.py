"""The entry of the executor `fast`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loihi_onespike.executors.fast.fast_options import FastOptions
from loihi_onespike.executors.protocol import Capabilities, Executor, ExecutorEntry, Subject

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from loihi_onespike.core.trace import Trace
    from loihi_onespike.executors.fast.fast_executor import FastExecutor


class FastRuns(Executor[FastOptions]):
    """Runs the integer network layer by layer, within a memory budget.

    Args:
        subject: the network, and the torch device that it runs on.
    """

    def __init__(self, subject: Subject) -> None:
        from loihi_onespike.executors.fast.fast_executor import FastExecutor

        self.fast = FastExecutor(subject.network, subject.device)

    def _within(self, options: FastOptions) -> FastExecutor:
        self.fast.budget_bytes = options.memory_budget
        return self.fast

    def trace(self, inputs: Any, options: FastOptions) -> Trace:
        """Code words and v of every layer."""
        return self._within(options).run(inputs)

    def count_trace(self, inputs: Any, options: FastOptions) -> Trace:
        """Code words of every layer; v of the readout alone, since the others would cost as much again."""
        return self._within(options).run(inputs, potentials=False)

    def predict(self, inputs: Any, options: FastOptions) -> NDArray[np.float64]:
        """The output (N, …) alone."""
        return self._within(options).predict(inputs)

    def images_per_run(self, options: FastOptions) -> int | None:
        """Images that stay within the budget together; raises ConfigurationError when a single one does not fit."""
        return self._within(options).images_per_chunk


FAST = ExecutorEntry(
    "fast",
    "exact integers, vectorised",
    Capabilities(exact=True, sparse_input=True, devices=True),
    FastOptions,
    FastRuns,
)
