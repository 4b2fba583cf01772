"""The child process that talks to a board.

    python -m loihi_onespike.boards.deployment.backends.lava.board_worker <folder>

A folder is one run: a profiler serves a single run, so reading outputs and measuring take two processes. Reports,
supervision and ending of Lava's processes are those of `executors.lava.worker`.

Lava and the modules that import it are imported inside the run, so that a failure to import them is reported like any
other failure of the run.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from loihi_onespike.errors import OneSpikeError
from loihi_onespike.executors.lava.worker import CHANNEL_SLOTS, Worker, main


class BoardWorker(Worker):
    """One run on a board."""

    def run(self) -> None:
        """Run the job of the folder and report failures of the graph as messages without a traceback."""
        try:
            self._run()
        except OneSpikeError as error:  # says what to change; where in the program it arose is of no use
            self.fail("the graph for the board", str(error))

    def _run(self) -> None:
        from lava.magma.core.run_conditions import RunSteps

        from loihi_onespike.boards.deployment.backends.lava.board_graph import build_graph
        from loihi_onespike.boards.deployment.backends.lava.board_job import MEASURED, BoardJob
        from loihi_onespike.boards.deployment.backends.lava.profiler import readings
        from loihi_onespike.boards.deployment.backends.lava.use_board import use

        job, network, codes = BoardJob.read(self.folder)
        steps = job.steps
        use(job.access, job.stepping)
        graph = build_graph(job, network, codes, self.folder)
        config = graph.run_config()
        profiler = None
        if job.profile:
            from lava.utils.profiler import Profiler

            # Before the run, and for one run only.
            profiler = Profiler.init(config)
            profiler.execution_time_probe(num_steps=steps)
            profiler.energy_probe(num_steps=steps)
        self.net = graph.net
        self.watching = True
        self.report(event="progress", done=0, steps=steps)
        self.net.create_runtime(config, compile_config={"pypy_channel_size": CHANNEL_SLOTS})
        self.net.run(RunSteps(steps))
        self.report(event="progress", done=steps, steps=steps)
        if profiler is not None:
            (self.folder / MEASURED).write_text(json.dumps(readings(profiler)))
        self.report(event="done")
        # Everything is on disk by now, and Lava's own stop can wait for ever.
        self.end(0)


if __name__ == "__main__":
    main(BoardWorker(Path(sys.argv[1])))
