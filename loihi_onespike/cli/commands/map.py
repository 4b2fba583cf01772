"""onespike map: a network on the cores of a board."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from loihi_onespike.cli.arguments import inputs, options
from loihi_onespike.cli.arguments.pictures import check_picture, picture, plot_option
from loihi_onespike.cli.command import Result, command
from loihi_onespike.cli.terminal.output import remark

SMALLEST = "oheo_gulch"
"""The board with the fewest chips of Loihi 2, where the search for one that fits begins."""


@command
def map(
    file: options.NetFile,
    board: options.SmallestBoard = None,
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
    fill_chips: options.FillChips = False,
    plot: Annotated[Path | None, plot_option("Picture of the board")] = None,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> Result:
    """Map a network to the cores and chips of a board; show how full they are and every limit that is exceeded.

    The exit status is 1 when the network does not fit.

    Example: onespike map net.h5

    Example: onespike map net.h5 --board kapoho_point --plot cores.png
    """
    check_picture(plot)
    inputs.existing(file)

    import netx_export
    from loihi_onespike.boards.energy.activity import Activity
    from loihi_onespike.boards.energy.fill_chips import fill_chips as fill
    from loihi_onespike.boards.mapping import check_placement, map_network, map_to_smallest
    from loihi_onespike.boards.mapping.mapping_document import mapping_document
    from loihi_onespike.boards.specification import load_board
    from loihi_onespike.cli.reports.map_report import show_mapping

    onto = load_board(SMALLEST if board is None else board)
    if convolution is not None:
        onto = onto.with_convolution(convolution)
    network = netx_export.read(file)
    mapping = map_to_smallest(network, onto) if board is None else map_network(network, onto)
    if board is None and mapping.fits:
        remark(f"mapped onto {mapping.placement.board.id}, the smallest board that fits; --board names another")
    if fill_chips:
        mapping = fill(network, mapping, Activity.every_neuron(network))
    objections = check_placement(network, mapping.placement)
    document = mapping_document(network.name, mapping, objections)
    if plot is not None:
        from loihi_onespike.analysis.plots.board import board_size, draw_board

        with picture(plot, board_size(mapping.placement)) as figure:
            draw_board(figure.add_subplot(), mapping.placement, network.name)
    failed = not mapping.fits or bool(objections)
    return Result(document, lambda console: show_mapping(console, network.name, mapping, objections, per_core), failed)
