"""What a job of an array runs: one `onespike` command line."""

from __future__ import annotations

import os
import runpy
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from submitit.helpers import DelayedSubmission

PROGRAM = "loihi_onespike"
"""What is run, as by `python -m`."""


@dataclass(frozen=True)
class Command:
    """A command line; called by submitit on the node where the job runs.

    What it runs keeps its finished work on disk, so that a job that SLURM stops (preemption, end of its time) can be
    put into the queue again and continue.

    Attributes:
        arguments: the words after `onespike`.
        folder: working directory of the command.
    """

    arguments: tuple[str, ...]
    folder: str

    def __call__(self) -> int:
        """Run the command in this process, so that nothing is left behind when the job is killed.

        Returns:
            Its exit status.
        """
        os.chdir(self.folder)
        given, sys.argv = sys.argv, [PROGRAM, *self.arguments]
        try:
            runpy.run_module(PROGRAM, run_name="__main__", alter_sys=True)
        except SystemExit as ended:
            return ended.code if isinstance(ended.code, int) else 0
        finally:
            sys.argv = given
        return 0

    def checkpoint(self) -> DelayedSubmission:
        """Called by submitit before SLURM stops the job: submit the same command again."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)
