"""onespike report: everything about a network on one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from loihi_onespike.cli.arguments import inputs, options
from loihi_onespike.cli.arguments.groups import grouped
from loihi_onespike.cli.command import Result, command


@command
@grouped
def report(
    file: options.NetFile,
    data: options.Data,
    source: options.Source,
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE.html", help="Page to write.", rich_help_panel=options.OUTPUT)
    ] = Path("report.html"),
    model: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL", help="The model that was converted, named as for `convert`: agreement, errors by layer."
        ),
    ] = None,
    weights: options.Weights = None,
    board: options.Board = "oheo_gulch",
    fill_chips: options.FillChips = False,
    tune: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN",
            help="A search that was made before: its --study (.db, .journal), or its document of --json (.json).",
        ),
    ] = None,
    images: options.Images = None,
    diagnosed: Annotated[
        int, typer.Option("--diagnose-images", metavar="N", help="Images that errors are measured on.", min=1)
    ] = 256,
    profiled: Annotated[
        int, typer.Option("--profile-images", metavar="N", help="Images that spikes are counted on.", min=1)
    ] = 100,
    shown: Annotated[
        int, typer.Option("--show-images", metavar="N", help="Images whose spikes the page shows.", min=1)
    ] = 6,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> Result:
    """Write one HTML page with accuracy, errors and their price, spikes, levels, pipeline, board, energy and search.

    The page opens from disk and loads nothing from elsewhere. What was not given is left out, with a sentence that says
    how to get it. Requires the extra `report`. Figures are those of evaluate, diagnose, map and profile.

    Example: onespike report net.h5 --data test.npz --model model.py:build --weights weights.pt -o report.html

    Example: onespike report net.h5 --data digits --model digits --board kapoho_point --tune search.db
    """
    inputs.existing(file)
    inputs.check_model(model, weights)
    inputs.check_board(board)
    source.check(data)
    inputs.writable(out)

    import loihi_onespike as los
    from loihi_onespike.cli.terminal.output import show_facts, size_of
    from loihi_onespike.cli.terminal.progress import ProgressBars

    part = source.read(data).take(images)
    module = None if model is None else inputs.read_model(model, weights)
    facts = {"network": str(file), "data": part.name, "model": model or "not given", "board": board}
    with ProgressBars() as bars:
        path = los.report(
            los.load(file),
            out,
            part.images,
            part.labels,
            model=module,
            board=board,
            fill_chips=fill_chips,
            tune=tune,
            diagnosed_images=diagnosed,
            profiled_images=profiled,
            shown_images=shown,
            facts=facts,
            classes=part.classes,
            progress=bars,
        )
    document = {"file": str(path), "bytes": path.stat().st_size, **facts, "images": len(part)}

    def show(console: Console) -> None:
        rows = [*facts.items(), ("page", f"{path} ({size_of(path)})")]
        show_facts(console, "Report", [(name, value) for name, value in rows])

    return Result(document, show)
