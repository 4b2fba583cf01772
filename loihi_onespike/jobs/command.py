"""What a job of an array runs: one `onespike` command line."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from submitit.helpers import DelayedSubmission


@dataclass(frozen=True)
class Command:
    """A command line; called by submitit on the node where the job runs.

    What it runs keeps its finished work on disk, so that a job which SLURM stops (preemption, end of its time) is put
    into the queue again and goes on.

    Attributes:
        arguments: behind the word `onespike`.
        folder: where it runs.
    """

    arguments: tuple[str, ...]
    folder: str

    def __call__(self) -> int:
        """Exit status. In this process, so that nothing is left behind when the job is killed."""
        from loihi_onespike.cli.app import app

        os.chdir(self.folder)
        try:
            app(list(self.arguments), prog_name="onespike")
        except SystemExit as ended:
            return ended.code if isinstance(ended.code, int) else 0
        return 0

    def checkpoint(self) -> DelayedSubmission:
        """Called by submitit before SLURM stops the job: the same once more."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)
