"""onespike tune: a search for settings within given limits."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from loihi_onespike.cli.arguments import inputs, options
from loihi_onespike.cli.arguments.groups import grouped
from loihi_onespike.cli.arguments.job_options import JobArray, command_again
from loihi_onespike.cli.arguments.pictures import check_picture, plot_option
from loihi_onespike.cli.command import INTERRUPTED, Result, command
from loihi_onespike.cli.reports.tune_report import Lines, draw, show_front, show_so_far
from loihi_onespike.cli.terminal.output import stdout_console
from loihi_onespike.cli.terminal.progress import ProgressBars
from loihi_onespike.conversion.options import ConversionOptions
from loihi_onespike.errors import ConfigurationError

if TYPE_CHECKING:
    from loihi_onespike.analysis.tuning import Search
    from loihi_onespike.analysis.tuning.front import Minimise

LIMITS, SEARCH = "Limits", "Search"


@command
@grouped
def tune(
    context: typer.Context,
    model: options.Model,
    data: options.Data,
    source: options.Source,
    jobs: JobArray,
    conversion: options.FixedConversion,
    seed: options.Seed = 0,
    max_loss: Annotated[
        float | None,
        typer.Option(metavar="PP", help="Largest accuracy loss, percentage points.", rich_help_panel=LIMITS),
    ] = None,
    max_latency: Annotated[
        int | None,
        typer.Option(metavar="STEPS", help="Largest latency, input to decision.", rich_help_panel=LIMITS),
    ] = None,
    max_spikes: Annotated[
        float | None, typer.Option(metavar="X", help="Most spikes per hidden neuron and image.", rich_help_panel=LIMITS)
    ] = None,
    max_synops: Annotated[
        float | None, typer.Option(metavar="N", help="Most synaptic operations per image.", rich_help_panel=LIMITS)
    ] = None,
    min_alpha: Annotated[
        float | None,
        typer.Option(metavar="X", help="Least α: energy of the ANN over the network's, INT8.", rich_help_panel=LIMITS),
    ] = None,
    minimise: Annotated[
        str,
        typer.Option(
            metavar="WHAT",
            help="What the best setting within the limits has least of: loss, energy (by --account), spikes, latency.",
            rich_help_panel=LIMITS,
        ),
    ] = "loss",
    trials: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="Settings to try in total, those of earlier runs included.",
            min=1,
            rich_help_panel=SEARCH,
        ),
    ] = 60,
    study: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="File that keeps the search, so that a later run continues it: .db (SQLite) or .journal.",
            rich_help_panel=SEARCH,
        ),
    ] = None,
    shared: Annotated[
        bool, typer.Option("--shared", help="Other processes use the study now.", rich_help_panel=SEARCH)
    ] = False,
    search_only: Annotated[
        bool,
        typer.Option(
            "--search-only",
            help="Run the trials and exit without a front; requires --study.",
            rich_help_panel=SEARCH,
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
            metavar="T", help="Search this T only; may be repeated.", show_default="4 to 32", rich_help_panel=SEARCH
        ),
    ] = None,
    weights: options.Weights = None,
    plot: Annotated[Path | None, plot_option("Picture of the front")] = None,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> Result:
    """Search T, wait, levels and one- or two-sided spikes: the Pareto front of loss, latency and spikes.

    One part of the images guides the search; the front is measured on the others with exact integers. The exit status
    is 1 when no setting keeps all limits.

    Example: onespike tune model.py:build --weights w.pt --data d.npz --max-loss 0.5 --max-latency 200 --study s.db
    """
    check_picture(plot)
    if study is not None:
        inputs.writable(study)
    if search_only and study is None:
        raise ConfigurationError("--search-only: requires --study FILE, which keeps the trials")
    if jobs.require():
        _require_journal(study)
    fixed = conversion.keywords()
    parts = fixed.pop("method")
    # A study of an earlier version has only those that are given.
    for name in ("objective", "price", "account", "payload_bits"):
        if fixed[name] == getattr(ConversionOptions(), name):
            del fixed[name]
    inputs.check_model(model, weights)
    source.check(data)
    found = source.read(data, conversion.calibration_images, seed)
    module = inputs.read_model(model, weights)

    from loihi_onespike.analysis import tuning

    space = tuning.Space()
    search = tuning.Search(
        module,
        found,
        tuning.Limits(max_loss, max_latency, max_spikes, max_synops, min_alpha),
        study,
        seed,
        space if not timesteps else replace(space, timesteps=tuple(sorted(set(timesteps)))),
        parts,
        search_images,
        held_out_images,
        fixed,
        cast("Minimise", minimise),
    )
    lines = Lines()
    facts = {"model": model, "data": found.name, "study": None if study is None else str(study)}
    try:
        if jobs.slurm is None:
            search.run(trials, shared, lines)
        elif not _search_by_jobs(context, search, trials, shared, jobs):
            return _state(search, trials, facts)
        if search_only:
            return _state(search, trials, facts)
        front = search.front(lines)
    except KeyboardInterrupt:
        print(f"\nonespike: interrupted; {_remaining(search, trials, study)}", file=sys.stderr)
        if not as_json:
            show_so_far(stdout_console(), search.front_so_far())
        raise typer.Exit(INTERRUPTED) from None
    if plot is not None:
        draw(plot, front, found.name)
    return Result({**front.to_dict(), **facts}, lambda console: show_front(console, front), failed=front.best is None)


def _remaining(search: Search, trials: int, study: Path | None) -> str:
    """What an interrupted search has done, and how it goes on."""
    done = f"{search.finished()} of {trials} trials are finished"
    if study is None:
        return f"{done}; with --study FILE they would be kept, and a later run would continue"
    return f"{done} in {study}; run the same command again to continue"


def _require_journal(study: Path | None) -> None:
    from loihi_onespike.analysis.tuning.study import JOURNAL

    if study is None or study.suffix not in JOURNAL:
        raise ConfigurationError(
            f"--slurm: requires a --study that is a journal ({', '.join(JOURNAL)}), which all jobs share, got {study}"
        )


def _search_by_jobs(context: typer.Context, search: Search, trials: int, shared: bool, jobs: JobArray) -> bool:
    """Run the missing trials by an array of jobs; False when the jobs were only submitted."""
    from loihi_onespike.jobs import ArrayJob

    assert jobs.slurm is not None
    missing = trials - search.finished(shared)
    if missing <= 0:
        return True
    worker = command_again(
        context, "as_json", "plot", "shared", "search_only", add=("--search-only", "--shared", "--json")
    )
    array = [ArrayJob(f"job {i + 1} of {jobs.slurm}", worker) for i in range(min(jobs.slurm, missing))]

    def look(ended: int, of: int) -> None:
        bars(f"tune, {of} jobs", min(search.finished(), trials), trials)

    with ProgressBars() as bars:
        return jobs.run(array, look) is not None


def _state(search: Search, trials: int, facts: Mapping[str, object]) -> Result:
    """The number of finished trials, where no front is asked for."""
    finished = search.finished()
    text = f"{finished} of {trials} trials are finished in {facts['study']}"
    return Result({"finished": finished, "of": trials, **facts}, lambda console: console.print(text, markup=False))
