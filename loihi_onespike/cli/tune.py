"""onespike tune: settings that keep given limits."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from loihi_onespike.cli import inputs, options
from loihi_onespike.cli.command import INTERRUPTED, Result, command
from loihi_onespike.cli.groups import grouped
from loihi_onespike.cli.interrupts import termination_interrupts
from loihi_onespike.cli.job_options import JobArray, command_again
from loihi_onespike.cli.progress import ProgressBars, rate_text, time_text
from loihi_onespike.errors import ConfigurationError

if TYPE_CHECKING:
    from loihi_onespike.tuning import Front, Search, Step

LIMITS, SEARCH = "Limits", "Search"


@command
@grouped
def tune(
    context: typer.Context,
    model: options.Model,
    data: options.Data,
    source: options.Source,
    jobs: JobArray,
    max_loss: Annotated[
        float | None,
        typer.Option(metavar="PP", help="Accuracy loss against the ANN, percentage points.", rich_help_panel=LIMITS),
    ] = None,
    max_latency: Annotated[
        int | None, typer.Option(metavar="STEPS", help="From first input to decision.", rich_help_panel=LIMITS)
    ] = None,
    max_spikes: Annotated[
        float | None, typer.Option(metavar="X", help="Spikes per hidden neuron and image.", rich_help_panel=LIMITS)
    ] = None,
    max_synops: Annotated[
        float | None, typer.Option(metavar="N", help="Synaptic operations per image.", rich_help_panel=LIMITS)
    ] = None,
    min_alpha: Annotated[
        float | None,
        typer.Option(metavar="X", help="Energy of the ANN over that of the network, INT8.", rich_help_panel=LIMITS),
    ] = None,
    trials: Annotated[
        int,
        typer.Option(
            metavar="N", help="Settings in all, those of earlier runs included.", min=1, rich_help_panel=SEARCH
        ),
    ] = 60,
    study: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Keeps the search, a later run goes on with it: .db (SQLite) or .journal.",
            rich_help_panel=SEARCH,
        ),
    ] = None,
    shared: Annotated[
        bool, typer.Option("--shared", help="Other processes work on the study now.", rich_help_panel=SEARCH)
    ] = False,
    search_only: Annotated[
        bool,
        typer.Option(
            "--search-only", help="Make trials and leave, without a front; with --study.", rich_help_panel=SEARCH
        ),
    ] = False,
    search_images: Annotated[
        int, typer.Option(metavar="N", help="Images that guide the search.", min=1, rich_help_panel=SEARCH)
    ] = 500,
    held_out_images: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Images that measure the front.",
            min=1,
            show_default="all others",
            rich_help_panel=SEARCH,
        ),
    ] = None,
    timesteps: Annotated[
        list[int] | None,
        typer.Option(
            metavar="T", help="Search these only, may be repeated.", show_default="4 to 32", rich_help_panel=SEARCH
        ),
    ] = None,
    weights: options.Weights = None,
    weight_bits: options.WeightBits = 8,
    input_bits: options.InputBits = "auto",
    method: options.Method = "calibrated",
    without: options.Without = None,
    calibration_images: options.CalibrationImages = 512,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Picture of the front (.png, .svg, .pdf).", rich_help_panel=options.OUTPUT),
    ] = None,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> Result:
    """Find T, wait, levels and the kind of spikes for given limits: the Pareto front of loss, latency and spikes.

    The search is guided by some of the images; the front is measured on others with exact integers. Exit status 1 when
    no setting keeps all limits.

    Example: onespike tune model.py:build --weights w.pt --data d.npz --max-loss 0.5 --max-latency 200 --study s.db
    """
    for path in (study, plot):
        if path is not None:
            inputs.writable(path)
    if search_only and study is None:
        raise ConfigurationError("--search-only: found without --study, supported with a file that keeps the trials")
    if jobs.require():
        _require_journal(study)
    parts = inputs.method_of(method, without or ())
    found = source.read(data, calibration_images)
    module = inputs.read_model(model, weights)

    from loihi_onespike import tuning

    space = tuning.Space()
    search = tuning.Search(
        module,
        found,
        tuning.Limits(max_loss, max_latency, max_spikes, max_synops, min_alpha),
        study,
        source.seed,
        space if not timesteps else replace(space, timesteps=tuple(sorted(set(timesteps)))),
        parts,
        search_images,
        held_out_images,
        {"weight_bits": weight_bits, "input_bits": inputs.input_bits_of(input_bits)},
    )
    lines = _Lines()
    facts = {"model": model, "data": found.name, "study": None if study is None else str(study)}
    try:
        with termination_interrupts():
            if jobs.slurm is None:
                search.run(trials, shared, lines)
            elif not _search_by_jobs(context, search, trials, shared, jobs):
                return _state(search, trials, facts)
            if search_only:
                return _state(search, trials, facts)
            front = search.front(lines)
    except KeyboardInterrupt:
        if study is None:
            raise
        print(
            f"\nonespike: interrupted; {search.finished()} of {trials} trials are finished in {study}; the same "
            "command again goes on",
            file=sys.stderr,
        )
        raise typer.Exit(INTERRUPTED) from None
    if plot is not None:
        _draw(plot, front, found.name)
    return Result({**front.to_dict(), **facts}, lambda console: show_front(console, front), failed=front.best is None)


def _require_journal(study: Path | None) -> None:
    from loihi_onespike.tuning.study import JOURNAL

    if study is None or study.suffix not in JOURNAL:
        raise ConfigurationError(
            f"--slurm: found --study {study}, supported a journal ({', '.join(JOURNAL)}) that all jobs share"
        )


def _search_by_jobs(context: typer.Context, search: Search, trials: int, shared: bool, jobs: JobArray) -> bool:
    """Make the trials that are missing by an array of jobs; False when the jobs were only submitted."""
    from loihi_onespike.jobs import Job

    assert jobs.slurm is not None
    missing = trials - search.finished(shared)
    if missing <= 0:
        return True
    worker = command_again(
        context, "as_json", "plot", "shared", "search_only", add=("--search-only", "--shared", "--json")
    )
    array = [Job(f"job {i + 1} of {jobs.slurm}", worker) for i in range(min(jobs.slurm, missing))]

    def look(ended: int, of: int) -> None:
        bars(f"tune, {of} jobs", min(search.finished(), trials), trials)

    with ProgressBars() as bars:
        return jobs.run(array, look) is not None


def _state(search: Search, trials: int, facts: Mapping[str, object]) -> Result:
    """How far the study is, where no front is asked for."""
    finished = search.finished()
    text = f"{finished} of {trials} trials are finished in {facts['study']}"
    return Result({"finished": finished, "of": trials, **facts}, lambda console: console.print(text, markup=False))


class _Lines:
    """A line on stderr for every trial: figures, how far it is, pace and time left."""

    def __init__(self) -> None:
        self._start = self._last = time.monotonic()
        self._what = ""

    def __call__(self, step: Step) -> None:
        if step.what != self._what:  # the pace of another kind of work says nothing
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
    """For people: the points, the verdict, and which images they stand for."""
    from loihi_onespike.cli.output import show_facts, show_table

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
            "yes" if front.limits.kept(p.held_out) else "no",
        )
        for p in front.points
    ]
    figures = ("accuracy", "loss pp", "searched", "latency", "period", "spikes", "α INT8", "within")
    columns = ("T", "wait", "Q", "sides", *figures)
    show_table(console, "Pareto front on held-out images (95 % interval in brackets)", columns, rows)
    facts = [("verdict", front.verdict), ("ANN", front.points[0].held_out.ann_accuracy)]
    facts += [(name.replace("_", " "), f"{part['source']}") for name, part in front.images.items()]
    facts.append(("trials", f"{len(front.tried)}, and {len(front.refused)} that could not be converted"))
    show_facts(console, "What stands behind it", facts)


def _draw(path: Path, front: Front, data: str) -> None:
    from matplotlib.figure import Figure

    from loihi_onespike.errors import DataError
    from loihi_onespike.plots.front import draw_front
    from loihi_onespike.plots.style import style

    with style():
        figure = Figure(figsize=(9.0, 3.8), layout="constrained")
        draw_front(figure.subplots(1, 2, sharey=True), front)
        figure.suptitle(f"{data}: {len(front.tried)} settings tried")
        try:
            figure.savefig(path, dpi=150)
        except (ValueError, OSError) as error:
            raise DataError(f"{path}: cannot be written ({error})") from error
