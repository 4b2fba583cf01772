"""onespike convert: from a trained model to a NetX file."""

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
def convert(
    model: options.Model,
    data: options.Data,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="FILE", help="NetX file to write (HDF5).", rich_help_panel=options.OUTPUT),
    ],
    conversion: options.Conversion,
    source: options.Source,
    seed: options.Seed = 0,
    weights: options.Weights = None,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> Result:
    """Convert a trained network into a one-spike network with INT8 weights.

    Nothing is trained; a few hundred unlabelled images calibrate the conversion. The file holds everything that a
    simulator or a board needs; all other commands read it.

    Example: onespike convert model.py:build --weights weights.pt --data train.npz -o net.h5
    """
    keywords = conversion.keywords()
    inputs.check_model(model, weights)
    source.check(data, labels=False)
    inputs.writable(out)
    found = source.read_calibration(data, conversion.calibration_images, seed)
    module = inputs.read_model(model, weights)

    import loihi_onespike as los
    from loihi_onespike.cli.reports.describe import show_layers, show_rewrites, show_timing
    from loihi_onespike.cli.terminal.output import size_of
    from loihi_onespike.cli.terminal.progress import ProgressBars
    from loihi_onespike.core.graphs.network_tables import conversion_text, network_document

    with ProgressBars() as bars:
        net = los.convert(module, found.images, **keywords, progress=bars)
    path = net.save(out)

    def show(console: Console) -> None:
        show_layers(console, net.network)
        show_rewrites(console, net.network)
        show_timing(console, net.network)
        console.print(f"Method: {conversion_text(net.network)}", markup=False)
        console.print(f"Calibrated with {len(found.images)} images of {found.name}", markup=False)
        console.print(f"Written to {path} ({size_of(path)})", markup=False)

    document = {
        **network_document(net.network),
        "file": str(path),
        "bytes": path.stat().st_size,
        "data": found.name,
        "calibration_images": len(found.images),
    }
    return Result(document, show)
