"""Progress of long work on stderr: bars on a terminal, otherwise a line now and then."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from loihi_onespike.cli.output import stderr_console

LINE_INTERVAL_S = 5.0
"""Seconds between two lines of the same work where there is no terminal."""


class ProgressBars:
    """Called as bars(what, done, of), any number of kinds of work one after the other; a context manager."""

    def __init__(self) -> None:
        self._tasks: dict[str, TaskID] = {}
        self._last: dict[str, float] = {}
        self._bars: Progress | None = None
        if sys.stderr.isatty():
            self._bars = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("left"),
                TimeRemainingColumn(),
                console=stderr_console(),
            )

    def __enter__(self) -> ProgressBars:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def __call__(self, what: str, done: int, of: int) -> None:
        if self._bars is None:
            self._line(what, done, of)
            return
        if what not in self._tasks:
            self._tasks[what] = self._bars.add_task(what)
        self._bars.update(self._tasks[what], completed=done, total=of)

    def _line(self, what: str, done: int, of: int) -> None:
        now = time.monotonic()
        since = self._last.setdefault(what, now)
        if done < of and now - since < LINE_INTERVAL_S:
            return
        self._last[what] = now
        print(f"{what}: {done}/{of}", file=sys.stderr, flush=True)
