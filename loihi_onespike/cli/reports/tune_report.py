"""The report of `onespike tune`: a line per trial, the Pareto front as a table, and its picture."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from loihi_onespike.cli.arguments.pictures import picture
from loihi_onespike.cli.terminal.progress import rate_text, time_text

if TYPE_CHECKING:
    from loihi_onespike.analysis.tuning import ConversionSetting, Front, NetworkFigures, Step


class Lines:
    """Prints a line to stderr for every trial: its figures, the number of trials done, the rate and the time left."""

    def __init__(self) -> None:
        self._start = self._last = time.monotonic()
        self._what = ""

    def __call__(self, step: Step) -> None:
        if step.what != self._what:  # the rate of the previous kind of work does not apply
            self._start, self._what = self._last, step.what
        self._last = time.monotonic()
        m = step.result
        said = m if isinstance(m, str) else f"loss {m.loss_pp:.2f} pp, latency {m.latency_steps}, spikes {m.spikes:.3f}"
        elapsed = self._last - self._start
        pace = ""
        if step.new and elapsed > 0:
            left = elapsed / step.new * max(step.of - step.done, 0)
            pace = f" ({rate_text(step.new / elapsed)}, {time_text(left)} left)"
        print(f"{step.what} {step.done}/{step.of}: {step.setting}: {said}{pace}", file=sys.stderr, flush=True)


def show_front(console: Console, front: Front) -> None:
    """Print the points of the front, the verdict, and the images behind the figures."""
    from loihi_onespike.boards.energy.figures import energy_text
    from loihi_onespike.cli.terminal.output import show_facts, show_table

    rows = [
        (
            p.setting.timesteps,
            p.setting.wait,
            p.setting.levels,
            "two" if p.setting.two_sided else "one",
            p.held_out.accuracy,
            f"{p.held_out.loss_pp:+.2f}",
            f"{p.search.loss_pp:+.2f}",
            p.held_out.latency_steps,
            p.held_out.period_steps,
            f"{p.held_out.spikes:.3f}",
            f"{p.held_out.alpha:.2f}",
            *(() if p.held_out.energy_nj is None else (energy_text(p.held_out.energy_nj),)),
            "yes" if front.limits.kept(p.held_out) else "no",
        )
        for p in front.points
    ]
    energy = () if front.points[0].held_out.energy_nj is None else ("energy",)
    figures = ("accuracy", "loss pp", "searched", "latency", "period", "spikes", "α INT8", *energy, "within")
    columns = ("T", "wait", "Q", "sides", *figures)
    show_table(console, "Pareto front on held-out images (95 % interval in brackets)", columns, rows)
    facts = [("verdict", front.verdict), ("ANN", front.points[0].held_out.ann_accuracy)]
    facts += [(name.replace("_", " "), f"{part['source']}") for name, part in front.images.items()]
    facts.append(("trials", f"{len(front.tried)}, and {len(front.refused)} that could not be converted"))
    show_facts(console, "Verdict and data", facts)


def show_so_far(console: Console, found: Sequence[tuple[ConversionSetting, NetworkFigures]]) -> None:
    """Print the best settings of an interrupted search; nothing where no trial is finished.

    Args:
        console: where they are printed.
        found: settings with their figures on the search images.
    """
    from loihi_onespike.cli.terminal.output import show_table

    if not found:
        return
    rows = [
        (
            setting.timesteps,
            setting.wait,
            setting.levels,
            "two" if setting.two_sided else "one",
            f"{m.loss_pp:+.2f}",
            m.latency_steps,
            f"{m.spikes:.3f}",
            f"{m.alpha:.2f}",
        )
        for setting, m in found
    ]
    columns = ("T", "wait", "Q", "sides", "loss pp", "latency", "spikes", "α INT8")
    show_table(console, "Pareto front so far, on the search images (optimistic: they chose it)", columns, rows)


def draw(path: Path, front: Front, data: str) -> None:
    """Write the front as a picture.

    Args:
        path: file to write.
        front: the Pareto front and all trials.
        data: name of the data, for the title.
    """
    from loihi_onespike.analysis.plots.front import draw_front

    with picture(path, (9.0, 3.8)) as figure:
        draw_front(figure.subplots(1, 2, sharey=True), front)
        figure.suptitle(f"{data}: {len(front.tried)} settings tried")
