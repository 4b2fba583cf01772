"""onespike init: a commented configuration for a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from loihi_onespike.cli.arguments import inputs, options
from loihi_onespike.cli.command import Result, command
from loihi_onespike.cli.terminal.output import remark
from loihi_onespike.errors import ConfigurationError


@command
def init(
    model: options.Model,
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            metavar="DATA",
            help="Data that calibrates, named as for `convert`; default: digits for that model, a name to replace.",
        ),
    ] = None,
    weights: options.Weights = None,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="FILE", help="File to write.", rich_help_panel=options.OUTPUT),
    ] = Path("onespike.toml"),
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> Result:
    """Write a commented configuration file for a model, with every option of the conversion and its default.

    The model is loaded, so that a wrong name is found now and the shape of its input can be written down. Edit the
    file, then run `onespike build`.

    Example: onespike init my_model.py:build --weights weights.pt --data data.npz
    """
    if out.exists() and not force:
        raise ConfigurationError(f"{out}: exists already; name another file with -o, or replace it with --force")
    inputs.check_model(model, weights)
    inputs.writable(out)
    module = inputs.read_model(model, weights)

    from loihi_onespike.cli.arguments.config_text import config_text
    from loihi_onespike.data.load import has_labels
    from loihi_onespike.frontend.importers.input_shape import input_shape
    from loihi_onespike.regular_files import write_whole

    shape = input_shape(module)
    text = config_text(model, weights, data, out.parent, shape)
    write_whole(out, text.encode("utf-8"))
    if data is not None and not has_labels(data):
        remark(f"{data} has no labels, so it calibrates alone: name labelled data as `test` in {out} before the build")
    taken = (
        "not known; give the data as the model takes it" if shape is None else f"{shape}, told by {shape.known_from}"
    )

    def show(console: Console) -> None:
        console.print(f"Written: {out}", markup=False)
        console.print(f"Input of the model: {taken}", markup=False)
        console.print(f"Next: edit it, then run: onespike build {out}", markup=False)

    return Result({"file": str(out), "input_shape": None if shape is None else list(shape.sizes)}, show)
