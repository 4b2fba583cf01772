"""The entry of the executor `reference`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loihi_onespike.executors.protocol import Capabilities, Executor, ExecutorEntry, ExecutorOptions, Subject

if TYPE_CHECKING:
    from loihi_onespike.core.trace import Trace


class ReferenceRuns(Executor[ExecutorOptions]):
    """Runs the integer network step by step, as the arithmetic is written down.

    Args:
        subject: the network.
    """

    def __init__(self, subject: Subject) -> None:
        self.network = subject.network

    def trace(self, inputs: Any, options: ExecutorOptions) -> Trace:
        """Code words and v of every population."""
        from loihi_onespike.executors import reference

        return reference.run(self.network, inputs)


REFERENCE = ExecutorEntry("reference", "the oracle, slow", Capabilities(exact=True), ExecutorOptions, ReferenceRuns)
