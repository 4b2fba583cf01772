"""The entry of the executor `lava`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loihi_onespike.executors.lava_options import LavaOptions
from loihi_onespike.executors.protocol import Capabilities, Executor, ExecutorEntry, Subject

if TYPE_CHECKING:
    from loihi_onespike.core.trace import Trace


class LavaRuns(Executor[LavaOptions]):
    """Runs the integer network as Lava processes on Lava's CPU simulator, in a child process.

    Args:
        subject: the network.
    """

    def __init__(self, subject: Subject) -> None:
        self.network = subject.network

    def trace(self, inputs: Any, options: LavaOptions) -> Trace:
        """Code words and v of every population; raises LavaError where Lava cannot run."""
        from loihi_onespike.executors.lava.runner import run_with

        return run_with(self.network, inputs, options)


LAVA = ExecutorEntry("lava", "Lava's simulator", Capabilities(exact=True), LavaOptions, LavaRuns)
