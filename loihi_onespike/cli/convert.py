"""onespike convert: from a trained model to a NetX file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from loihi_onespike.cli import inputs, options
from loihi_onespike.cli.command import Result, command


@command
def convert(
    model: options.Model,
    data: options.Data,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="FILE", help="NetX file to write (HDF5).", rich_help_panel=options.OUTPUT),
    ],
    weights: options.Weights = None,
    timesteps: options.Timesteps = 16,
    base: options.BaseOption = "auto",
    wait: options.Wait = None,
    weight_bits: options.WeightBits = 8,
    input_bits: options.InputBits = 8,
    input_code: options.InputCode = "binary",
    normalization: options.Normalization = "channel",
    no_threshold_shift: options.NoThresholdShift = False,
    calibration_images: options.CalibrationImages = 512,
    data_root: options.DataRoot = None,
    resize: options.Resize = None,
    crop: options.Crop = None,
    normalize: options.Normalize = "none",
    seed: options.Seed = 0,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> Result:
    """Convert a trained ReLU network into a one-spike network with INT8 weights.

    Nothing is trained; some hundred unlabelled images calibrate the scales. The file holds all that a simulator or a
    board needs, and is read by `evaluate`, `run` and `inspect`.

    Example: onespike convert model.py:build --weights weights.pt --data train.npz -o net.h5
    """
    inputs.writable(out)
    quantum = inputs.base_of(base)
    coded, per = inputs.input_code_of(input_code), inputs.normalization_of(normalization)
    found = inputs.read_data(data, data_root, calibration_images, resize, crop, normalize, seed)
    module = inputs.read_model(model, weights)

    import loihi_onespike as los
    from loihi_onespike.cli.describe import network_document, show_layers, show_rewrites, show_timing
    from loihi_onespike.cli.output import size_of
    from loihi_onespike.cli.progress import ProgressBars

    with ProgressBars() as bars:
        net = los.convert(
            module,
            found.calibration,
            timesteps=timesteps,
            base=quantum,
            wait=wait,
            weight_bits=weight_bits,
            input_bits=input_bits,
            input_code=coded,
            normalization=per,
            threshold_shift=not no_threshold_shift,
            progress=bars,
        )
    path = net.save(out)

    def show(console: Console) -> None:
        show_layers(console, net.network)
        show_rewrites(console, net.network)
        show_timing(console, net.network)
        console.print(f"Calibrated with {len(found.calibration)} images of {found.name}", markup=False)
        console.print(f"Written to {path} ({size_of(path)})", markup=False)

    document = {
        **network_document(net.network),
        "file": str(path),
        "bytes": path.stat().st_size,
        "data": found.name,
        "calibration_images": len(found.calibration),
    }
    return Result(document, show)
