"""The entry of the executor `float`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loihi_onespike.executors.protocol import Capabilities, Executor, ExecutorEntry, ExecutorOptions, Subject

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from loihi_onespike.core.trace import Trace

BATCH = 250
"""Samples of a prediction that are run together."""


class FloatRuns(Executor[ExecutorOptions]):
    """Runs the stages of a network in real numbers.

    Args:
        subject: the network; its stages are run.
    """

    def __init__(self, subject: Subject) -> None:
        from loihi_onespike.executors.float.float_executor import FloatExecutor

        self.float = FloatExecutor(subject.stages(), device=subject.device)

    def trace(self, inputs: Any, options: ExecutorOptions) -> Trace:
        """Code words, and as v the real pre-activations, of every stage."""
        return self.float.trace(inputs)

    def predict(self, inputs: Any, options: ExecutorOptions) -> NDArray[np.float64]:
        """The output (N, …), computed batch by batch."""
        from loihi_onespike.executors.batched_runs import in_batches

        return in_batches(self.float.run, inputs, BATCH)


FLOAT = ExecutorEntry(
    "float",
    "real numbers, full wait",
    Capabilities(exact=False, short_wait="as full wait", sparse_input=True, devices=True, needs_stages=True),
    ExecutorOptions,
    FloatRuns,
)
