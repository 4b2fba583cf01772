"""Progress of long work on stderr: done, of, rate and time left; bars on a terminal, else a line now and then."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from types import TracebackType

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from loihi_onespike.cli.terminal.output import stderr_console

LINE_INTERVAL_S = 5.0
"""Seconds between two lines of the same work where there is no terminal."""


@dataclass
class Pace:
    """How fast one kind of work goes, from its first report on; what was done by then was done by others, or earlier.

    Attributes:
        first: done at the first report.
        start_s: its time.
    """

    first: int
    start_s: float

    def text(self, done: int, of: int, now_s: float) -> str:
        """ "12.3/s, 0:42 left"; empty while there is nothing to tell from."""
        made, elapsed = done - self.first, now_s - self.start_s
        if made <= 0 or elapsed <= 0:
            return ""
        rate = made / elapsed
        left = "" if done >= of else f", {time_text((of - done) / rate)} left"
        return rate_text(rate) + left


def rate_text(per_second: float) -> str:
    """With the unit that gives a number above 1, as far as hours."""
    for unit, seconds in (("s", 1), ("min", 60), ("h", 3600)):
        if per_second * seconds >= 1 or unit == "h":
            return f"{per_second * seconds:.1f}/{unit}"
    raise AssertionError  # the last unit takes everything


def time_text(seconds: float) -> str:
    """0:42, 3:05, 1:02:03."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


class _RateColumn(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(rate_text(speed) if speed else "")


class ProgressBars:
    """Called as bars(what, done, of), any number of kinds of work one after the other; a context manager.

    Args:
        silent: shows nothing, for processes of which another one speaks.
    """

    def __init__(self, silent: bool = False) -> None:
        self._silent = silent
        self._tasks: dict[str, TaskID] = {}
        self._last: dict[str, tuple[float, int | None]] = {}
        self._paces: dict[str, Pace] = {}
        self._bars: Progress | None = None
        if sys.stderr.isatty() and not silent:
            self._bars = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                _RateColumn(),
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
        if self._silent:
            return
        if self._bars is None:
            self._line(what, done, of)
            return
        if what not in self._tasks:
            self._tasks[what] = self._bars.add_task(what, completed=done)
        self._bars.update(self._tasks[what], completed=done, total=of)

    def _line(self, what: str, done: int, of: int) -> None:
        now = time.monotonic()
        since, said = self._last.setdefault(what, (now, None))
        pace = self._paces.setdefault(what, Pace(done, now))
        if said == done or (done < of and now - since < LINE_INTERVAL_S):
            return
        self._last[what] = now, done
        told = pace.text(done, of, now)
        print(f"{what}: {done}/{of}" + (f" ({told})" if told else ""), file=sys.stderr, flush=True)
