"""onespike profile: time and energy of a network on a board, estimated from public tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from loihi_onespike.cli import inputs, options
from loihi_onespike.cli.command import Result, command

if TYPE_CHECKING:
    from loihi_onespike.energy.estimate import BoardEstimate

BATCH = 50


@command
def profile(
    file: options.NetFile,
    data: options.Data,
    board: Annotated[
        str,
        typer.Option("--board", metavar="BOARD", help="Name of a board, as hala_point, or a .toml file of your own."),
    ] = "oheo_gulch",
    images: options.FewImages = 100,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot", metavar="FILE", help="Picture, layer by layer (.png, .svg, .pdf).", rich_help_panel=options.OUTPUT
        ),
    ] = None,
    data_root: options.DataRoot = None,
    resize: options.Resize = None,
    crop: options.Crop = None,
    normalize: options.Normalize = "none",
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> Result:
    """Estimate time and energy on a board: images per second, latency, energy per image in two accountings, and when
    the spiking network loses.

    Spikes are counted exactly, over real images; prices come from public tables and stand beside their source. What is
    not public is called unknown. Nothing here was measured on a board.

    Example: onespike profile net.h5 --data digits --board oheo_gulch
    """
    if plot is not None:
        inputs.writable(plot)

    import loihi_onespike as los
    from loihi_onespike.cli.profile_report import profile_document, show_profile
    from loihi_onespike.cli.progress import ProgressBars
    from loihi_onespike.energy.activity import Activity
    from loihi_onespike.energy.estimate import estimate_board
    from loihi_onespike.hardware import load_board
    from loihi_onespike.mapping import map_network

    onto = load_board(board)
    net = los.load(inputs.existing(file))
    part = inputs.read_data(data, data_root, 1, resize, crop, normalize, 0).take(images)
    activity = Activity(net.network)
    with ProgressBars() as bars:
        for first in range(0, len(part), BATCH):
            activity.add(net.trace(part.images[first : first + BATCH]).layers)
            bars("count spikes", min(first + BATCH, len(part)), len(part))
    mapping = map_network(net.network, onto, activity.per_neuron())
    estimate = estimate_board(net.network, mapping, activity)
    if plot is not None:
        _draw(plot, estimate)
    document = {**profile_document(estimate), "data": part.name}
    return Result(document, lambda console: show_profile(console, estimate, part.name))


def _draw(path: Path, estimate: BoardEstimate) -> None:
    from matplotlib.figure import Figure

    from loihi_onespike.errors import DataError
    from loihi_onespike.plots.profile import draw_profile, profile_size
    from loihi_onespike.plots.style import style

    with style():
        figure = Figure(figsize=profile_size(estimate), layout="constrained")
        draw_profile(figure.subplots(1, 3), estimate)
        figure.suptitle(f"{estimate.network} on {estimate.board}: estimated, not measured")
        try:
            figure.savefig(path, dpi=150)
        except (ValueError, OSError) as error:
            raise DataError(f"{path}: cannot be written ({error})") from error
