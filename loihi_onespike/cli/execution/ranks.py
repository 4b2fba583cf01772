"""Commands that torchrun starts: all ranks compute, rank 0 alone prints."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING

import typer

from loihi_onespike.cli.command import CANNOT_USE, INTERRUPTED
from loihi_onespike.errors import OneSpikeError

if TYPE_CHECKING:
    from loihi_onespike.jobs.distributed import Ranks


@contextmanager
def launched_ranks(timeout_s: float) -> Iterator[Ranks | None]:
    """The ranks that torchrun started, or None without torchrun. Ranks other than 0 print nothing but their errors.

    Args:
        timeout_s: time to wait for another rank, in seconds.
    """
    from loihi_onespike.jobs.distributed.launch import joined, was_launched

    if not was_launched():
        yield None
        return
    if os.environ["RANK"] == "0":
        with joined(timeout_s) as ranks:
            yield ranks
        return
    stderr = sys.stderr
    try:
        with (
            open(os.devnull, "w") as nothing,
            redirect_stdout(nothing),
            redirect_stderr(nothing),
            joined(timeout_s) as ranks,
        ):
            yield ranks
    except OneSpikeError as error:
        said = str(error)
        rank = "" if said.startswith("rank ") else f"rank {os.environ['RANK']}: "
        print(f"onespike: {rank}{said}", file=stderr)
        raise typer.Exit(CANNOT_USE) from error
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
