"""Progress of long work on stderr: amount done, rate and time left, as bars on a terminal and as lines elsewhere."""

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

from loihi_onespike.cli.terminal.output import is_colored, stderr_console

LINE_INTERVAL_S = 5.0
"""Least time in seconds between two lines about the same work where stderr is not a terminal."""


@dataclass
class Pace:
    """The rate of one kind of work since its first report.

    What was done before the first report was done by other processes or in an earlier run, and does not count.

    Attributes:
        first: amount done at the first report.
        start_s: time of the first report in seconds.
    """

    first: int
    start_s: float

    def text(self, done: int, of: int, now_s: float) -> str:
        """Rate and time left, such as "12.3/s, 0:42 left"; empty as long as they cannot be estimated.

        Args:
            done: amount done now.
            of: total amount.
            now_s: time in seconds.
        """
        made, elapsed = done - self.first, now_s - self.start_s
        if made <= 0 or elapsed <= 0:
            return ""
        rate = made / elapsed
        left = "" if done >= of else f", {time_text((of - done) / rate)} left"
        return rate_text(rate) + left


def rate_text(per_second: float) -> str:
    """A rate as text, in the first of the units 1/s, 1/min and 1/h that gives at least 1, else in 1/h."""
    for unit, seconds in (("s", 1), ("min", 60), ("h", 3600)):
        if per_second * seconds >= 1 or unit == "h":
            return f"{per_second * seconds:.1f}/{unit}"
    raise AssertionError  # the last unit takes everything


def time_text(seconds: float) -> str:
    """A duration as text: 0:42, 3:05 or 1:02:03."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


class _RateColumn(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(rate_text(speed) if speed else "")


class ProgressBars:
    """A context manager that is called as bars(what, done, of) and shows the progress of each kind of work.

    Args:
        silent: show nothing; for processes whose progress another process shows.
    """

    def __init__(self, silent: bool = False) -> None:
        self._silent = silent
        self._tasks: dict[str, TaskID] = {}
        self._last: dict[str, tuple[float, int | None]] = {}
        self._paces: dict[str, Pace] = {}
        self._bars: Progress | None = None
        if sys.stderr.isatty() and is_colored() and not silent:
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
