"""onespike map: a network on the cores of a board."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from loihi_onespike.cli.arguments import inputs, options
from loihi_onespike.cli.arguments.pictures import check_picture, picture, plot_option
from loihi_onespike.cli.command import Result, command

STDOUT = "-"


def map(
    file: options.NetFile,
    board: options.Board,
    per_core: Annotated[
        bool, typer.Option("--cores", help="Show every core; the JSON document always lists them.")
    ] = False,
    convolution: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="How convolutions are stored: kernels (one per core) or lists (of targets); default: as the compiler "
            "that the chip's file names.",
        ),
    ] = None,
    json_to: Annotated[
        str | None,
        typer.Option(
            "--json",
            metavar="FILE",
            help=f"Write the result as JSON to FILE; {STDOUT}: one JSON document on stdout instead of text.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    plot: Annotated[Path | None, plot_option("Picture of the board")] = None,
    debug: options.Debug = False,
) -> None:
    """Map a network to the cores and chips of a board; show how full they are and every limit that is exceeded.

    The exit status is 1 when the network does not fit.
    """
    to_file = Path(json_to) if json_to not in (None, STDOUT) else None
    _map(
        file=file,
        board=board,
        per_core=per_core,
        convolution=convolution,
        json_file=to_file,
        plot=plot,
        as_json=json_to == STDOUT,
        debug=debug,
    )


@command
def _map(
    file: Path,
    board: str,
    per_core: bool,
    convolution: str | None,
    json_file: Path | None,
    plot: Path | None,
    as_json: bool,
    debug: bool,
) -> Result:
    import netx_export
    from loihi_onespike.boards.mapping import check_placement, map_network
    from loihi_onespike.boards.mapping.mapping_document import mapping_document
    from loihi_onespike.boards.specification import load_board
    from loihi_onespike.cli.reports.map_report import show_mapping
    from loihi_onespike.json_text import json_text
    from loihi_onespike.regular_files import write_whole

    check_picture(plot)
    if json_file is not None:
        inputs.writable(json_file)
    onto = load_board(board)
    if convolution is not None:
        onto = onto.with_convolution(convolution)
    network = netx_export.read(inputs.existing(file))
    mapping = map_network(network, onto)
    objections = check_placement(network, mapping.placement)
    document = mapping_document(network.name, mapping, objections)
    if json_file is not None:
        write_whole(json_file, (json_text(document) + "\n").encode("utf-8"))
    if plot is not None:
        from loihi_onespike.analysis.plots.board import board_size, draw_board

        with picture(plot, board_size(mapping.placement)) as figure:
            draw_board(figure.add_subplot(), mapping.placement, network.name)
    failed = not mapping.fits or bool(objections)
    return Result(document, lambda console: show_mapping(console, network.name, mapping, objections, per_core), failed)
