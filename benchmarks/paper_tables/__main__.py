"""The command `python -m benchmarks.paper_tables TABLE --model MODEL --data DATA`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.paper_tables.experiment import Experiment, Progress
from benchmarks.paper_tables.graphs import graph
from benchmarks.paper_tables.table import Table
from benchmarks.paper_tables.tables import TABLES, Asked, check_plot, code_table, table_of
from loihi_onespike.cli.arguments import inputs, options
from loihi_onespike.cli.arguments.groups import grouped
from loihi_onespike.cli.arguments.pictures import check_picture
from loihi_onespike.cli.terminal.output import stdout_console
from loihi_onespike.cli.terminal.progress import ProgressBars
from loihi_onespike.errors import ConfigurationError, OneSpikeError
from loihi_onespike.json_text import json_text


@grouped
def main(
    table: Annotated[str, typer.Argument(metavar="TABLE", help=f"One of {', '.join(TABLES)}.")],
    source: options.Source,
    seed: options.Seed = 0,
    model: Annotated[str | None, typer.Option(metavar="MODEL", help="As for `onespike convert`.")] = None,
    data: Annotated[
        str | None,
        typer.Option(metavar="DATA", help="As for `onespike convert`; for table5 a folder with model.py."),
    ] = None,
    weights: options.Weights = None,
    images: options.Images = None,
    calibration_images: options.CalibrationImages = 512,
    timesteps: Annotated[
        list[int] | None,
        typer.Option(metavar="T", help="Number of timesteps; repeatable for fig6, fig8, fig9.", show_default="paper"),
    ] = None,
    base: Annotated[
        list[float] | None,
        typer.Option(metavar="Q", help="Base; repeatable for fig6, fig8, fig9.", show_default="paper"),
    ] = None,
    wait: Annotated[
        list[int] | None, typer.Option(metavar="N", help="Wait for table8; repeatable.", show_default="paper")
    ] = None,
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the table to this file too.")] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw fig6 to fig9 or table8 into this file.")
    ] = None,
) -> None:
    """Run an experiment of arXiv 2403.08786 on a model and data of your own.

    For example:

        python -m benchmarks.paper_tables fig6

        python -m benchmarks.paper_tables table6 --model digits --data digits --images 200

        python -m benchmarks.paper_tables table8 --model nets.py:build --weights w.pt --data test.npz --plot waits.png
    """
    asked = Asked(tuple(timesteps or ()), tuple(base or ()), tuple(wait or ()), plot)
    try:
        inputs.choice("TABLE", table, TABLES)
        check_plot(table, plot)
        check_picture(plot)
        if json is not None:
            inputs.writable(json)
        made: Table
        if table == "fig6":
            made = code_table(asked)
        elif table == "table5":
            made = graph(Path(_given("--data", data)), *asked.one)
        else:
            read = source.read(_given("--data", data), calibration_images, seed).take(images)
            inputs.remark_on_calibration(read)
            name = _given("--model", model)
            module = inputs.read_model(name, weights)
            with ProgressBars() as bars:
                progress: Progress = bars
                made = table_of(table, Experiment(name, module, read, seed, progress), asked)
    except OneSpikeError as error:
        print(f"paper_tables: {error}", file=sys.stderr)
        raise typer.Exit(2) from error
    made.show(stdout_console())
    if json is not None:
        json.write_text(json_text(made.to_dict()) + "\n", encoding="utf-8")


def _given(option: str, value: str | None) -> str:
    if value is None:
        raise ConfigurationError(f"{option}: required by this table, got none (only fig6 needs neither model nor data)")
    return value


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
app.command()(main)

if __name__ == "__main__":
    app()
