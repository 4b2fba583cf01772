"""onespike map: a network on the cores of a board."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from loihi_onespike.cli import inputs, options
from loihi_onespike.cli.command import Result, command

STDOUT = "-"


def map(
    file: options.NetFile,
    board: Annotated[
        str,
        typer.Option("--board", metavar="BOARD", help="Name of a board, as hala_point, or a .toml file of your own."),
    ],
    per_core: Annotated[
        bool, typer.Option("--cores", help="Show every core; the JSON document always has them.")
    ] = False,
    json_to: Annotated[
        str | None,
        typer.Option(
            "--json",
            metavar="FILE",
            help=f"Write the result as JSON; {STDOUT}: one JSON document on stdout instead of text.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot", metavar="FILE", help="Picture of the board (.png, .svg, .pdf).", rich_help_panel=options.OUTPUT
        ),
    ] = None,
    debug: options.Debug = False,
) -> None:
    """Cores and chips that a network takes on a board, how full they are, and every limit that it does not keep.

    Exit status 1 when it does not fit.
    """
    to_file = Path(json_to) if json_to not in (None, STDOUT) else None
    _map(
        file=file, board=board, per_core=per_core, json_file=to_file, plot=plot, as_json=json_to == STDOUT, debug=debug
    )


@command
def _map(
    file: Path, board: str, per_core: bool, json_file: Path | None, plot: Path | None, as_json: bool, debug: bool
) -> Result:
    import netx_export
    from loihi_onespike.cli.map_report import mapping_document, show_mapping
    from loihi_onespike.hardware import load_board
    from loihi_onespike.json_text import json_text
    from loihi_onespike.mapping import check_placement, map_network

    for path in (json_file, plot):
        if path is not None:
            inputs.writable(path)
    onto = load_board(board)
    network = netx_export.read(inputs.existing(file))
    mapping = map_network(network, onto)
    objections = check_placement(network, mapping.placement)
    document = mapping_document(network.name, mapping, objections)
    if json_file is not None:
        json_file.write_text(json_text(document) + "\n", encoding="utf-8")
    if plot is not None:
        _draw(plot, network.name, mapping)
    failed = not mapping.fits or bool(objections)
    return Result(document, lambda console: show_mapping(console, network.name, mapping, objections, per_core), failed)


def _draw(path: Path, name: str, mapping: object) -> None:
    from matplotlib.figure import Figure

    from loihi_onespike.errors import DataError
    from loihi_onespike.mapping import Mapping
    from loihi_onespike.plots.board import board_size, draw_board
    from loihi_onespike.plots.style import style

    assert isinstance(mapping, Mapping)
    with style():
        figure = Figure(figsize=board_size(mapping.placement), layout="constrained")
        draw_board(figure.add_subplot(), mapping.placement, name)
        try:
            figure.savefig(path, dpi=150)
        except (ValueError, OSError) as error:
            raise DataError(f"{path}: cannot be written ({error})") from error
