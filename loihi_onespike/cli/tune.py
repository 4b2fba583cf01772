"""onespike tune: settings that keep given limits."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from loihi_onespike.cli import inputs, options
from loihi_onespike.cli.command import Result, command
from loihi_onespike.cli.groups import grouped

if TYPE_CHECKING:
    from loihi_onespike.tuning import Front, Step

LIMITS, SEARCH = "Limits", "Search"


@command
@grouped
def tune(
    model: options.Model,
    data: options.Data,
    source: options.Source,
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
    input_bits: options.InputBits = 8,
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
    parts = inputs.method_of(method, without or ())
    found = source.read(data, calibration_images)
    module = inputs.read_model(model, weights)

    from loihi_onespike import tuning

    space = tuning.Space()
    front = tuning.tune(
        module,
        found,
        limits=tuning.Limits(max_loss, max_latency, max_spikes, max_synops, min_alpha),
        trials=trials,
        study=study,
        seed=source.seed,
        space=space if not timesteps else replace(space, timesteps=tuple(sorted(set(timesteps)))),
        method=parts,
        search_images=search_images,
        held_out_images=held_out_images,
        shared=shared,
        progress=_Lines(),
        weight_bits=weight_bits,
        input_bits=input_bits,
    )
    if plot is not None:
        _draw(plot, front, found.name)
    document = {**front.to_dict(), "model": model, "data": found.name, "study": None if study is None else str(study)}
    return Result(document, lambda console: show_front(console, front), failed=front.best is None)


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
            left = elapsed / step.new * (step.of - step.done)
            pace = f" ({60 * step.new / elapsed:.1f} a minute, {left:.0f} s left)"
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
