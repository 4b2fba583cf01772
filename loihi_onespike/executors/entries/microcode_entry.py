"""The entry of the executor `microcode`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loihi_onespike.executors.protocol import Capabilities, Executor, ExecutorEntry, ExecutorOptions, Subject

if TYPE_CHECKING:
    from loihi_onespike.core.trace import Trace


class MicrocodeRuns(Executor[ExecutorOptions]):
    """Runs the neuron programs of a network on interpreters of the Loihi 2 instruction set.

    Args:
        subject: the network.
    """

    def __init__(self, subject: Subject) -> None:
        self.network = subject.network

    def trace(self, inputs: Any, options: ExecutorOptions) -> Trace:
        """Code words and v of every population."""
        from loihi_onespike.executors.microcode import microcode_executor

        return microcode_executor.run(self.network, inputs)


MICROCODE = ExecutorEntry(
    "microcode",
    "the neuron programs for Loihi 2 on an interpreter, slow",
    Capabilities(exact=True),
    ExecutorOptions,
    MicrocodeRuns,
)
