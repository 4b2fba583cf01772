"""onespike profile: time and energy of a network on a board, estimated from public tables."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from loihi_onespike.cli.arguments import inputs, options
from loihi_onespike.cli.arguments.groups import grouped
from loihi_onespike.cli.arguments.pictures import check_picture, picture, plot_option
from loihi_onespike.cli.command import Result, command
from loihi_onespike.errors import ConfigurationError

SANAFE, COMPUTED = "sanafe", "sanafe-computed"
SIMULATORS = (SANAFE, COMPUTED)


@command
@grouped
def profile(
    file: options.NetFile,
    data: options.Data,
    source: options.Source,
    board: options.Board = "oheo_gulch",
    images: options.FewImages = 100,
    fill_chips: options.FillChips = False,
    simulator: Annotated[
        str | None,
        typer.Option(
            "--simulator",
            metavar="NAME",
            help="A simulator of another project, which runs the same placement and spikes for comparison: "
            f"{SANAFE} (extra {SANAFE}; boards with Loihi 1, networks of one chip), or {COMPUTED}, which computes the "
            "spikes as well (C++ compiler).",
        ),
    ] = None,
    plot: Annotated[Path | None, plot_option("Picture, layer by layer")] = None,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> Result:
    """Estimate time and energy on a board: images per second, latency, and energy per image.

    Energy is given in two accountings, with the conditions under which the spiking network needs more than the ANN.
    Spikes are counted exactly on the images; times and energies per operation come from public tables and are printed
    with their source. What is not public is called unknown. Nothing is measured on a board.

    Example: onespike profile net.h5 --data digits --board oheo_gulch
    """
    check_picture(plot)
    inputs.existing(file)
    source.check(data)
    if simulator not in (None, *SIMULATORS):
        raise ConfigurationError(f"simulator: must be {' or '.join(SIMULATORS)}, got {simulator}")

    import loihi_onespike as los
    from loihi_onespike.boards.energy.activity import Activity
    from loihi_onespike.boards.energy.estimate import estimate_board
    from loihi_onespike.boards.energy.fill_chips import map_measured
    from loihi_onespike.boards.sanafe import check_board, compare, library, require
    from loihi_onespike.boards.specification import load_board
    from loihi_onespike.cli.execution.spikes import activity_on, trace_on
    from loihi_onespike.cli.reports.profile_report import profile_document, show_profile
    from loihi_onespike.cli.reports.simulator_report import show_comparison
    from loihi_onespike.cli.terminal.progress import ProgressBars

    onto = load_board(board)
    if simulator is not None:
        check_board(onto)
        require()
        if simulator == COMPUTED:
            library()
    net = los.load(file)
    part = source.read(data).take(images)
    with ProgressBars() as bars:
        trace = None if simulator is None else trace_on(net, part, bars)
        activity = activity_on(net, part, bars) if trace is None else Activity.of(net.network, trace.layers)
        mapping = map_measured(net.network, onto, activity, fill_chips)
        estimate = estimate_board(net.network, mapping, activity)
        comparison = None
        if trace is not None:
            computed, simulated = simulator == COMPUTED, partial(bars, "simulate")
            comparison = compare(net.network, mapping, trace, estimate, computed=computed, progress=simulated)
    if plot is not None:
        from loihi_onespike.analysis.plots.profile import draw_profile, profile_size

        with picture(plot, profile_size(estimate)) as figure:
            draw_profile(figure.subplots(1, 3), estimate)
            figure.suptitle(f"{estimate.network} on {estimate.board}: estimated, not measured")
    document = {**profile_document(estimate), "data": part.name}
    if comparison is not None:
        document["simulator"] = comparison.document()

    def show(console: Console) -> None:
        show_profile(console, estimate, part.name)
        if comparison is not None:
            show_comparison(console, comparison)

    return Result(document, show)
