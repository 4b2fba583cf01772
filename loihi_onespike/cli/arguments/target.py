"""The first argument of `evaluate` and `diagnose`: a network file, or a model that is converted first."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from loihi_onespike.cli.arguments import inputs, options
from loihi_onespike.cli.terminal.progress import ProgressBars
from loihi_onespike.errors import ConfigurationError

if TYPE_CHECKING:
    import torch

    from loihi_onespike.api import OneSpikeNetwork
    from loihi_onespike.data import Dataset

NETWORK_SUFFIXES = (".h5", ".hdf5", ".net")

Target = Annotated[
    str,
    typer.Argument(
        metavar="NET.h5|MODEL",
        help="File written by `onespike convert`; or a model as for `convert`, which is converted first.",
    ),
]


def is_network_file(target: str) -> bool:
    """Whether the argument names a network file, by its suffix."""
    return Path(target).suffix in NETWORK_SUFFIXES


def check_target(context: typer.Context, target: str, model: str | None, conversion: options.Conversion) -> bool:
    """Whether the target is a network file.

    Args:
        context: context of the command, which knows the options that were given.
        target: network file or model.
        model: value of --model.
        conversion: options of the conversion.

    Raises:
        ConfigurationError: --model is given for a model, or options of the conversion for a network file.
        DataError: the network file does not exist.
    """
    conversion.keywords()
    if not is_network_file(target):
        if model is not None:
            raise ConfigurationError(f"--model: only valid with a NET.h5, got {model!r} for the model {target!r}")
        return False
    inputs.existing(Path(target))
    given = [f.name for f in fields(conversion) if _is_given(context, f.name)]
    if given:
        listed = ", ".join("--" + n.replace("_", "-") for n in given)
        raise ConfigurationError(
            f"{listed}: not valid with {target}, which is converted already; convert the model again"
        )
    return True


def network_of(
    target: str, module: torch.nn.Module | None, data: Dataset, conversion: options.Conversion, bars: ProgressBars
) -> OneSpikeNetwork:
    """The network of a file, or the network that a model is converted to.

    Args:
        target: network file or model.
        module: module of the model; not used for a file.
        data: data that calibrates the conversion.
        conversion: options of the conversion.
        bars: shows the progress of the conversion.
    """
    import loihi_onespike as los

    if is_network_file(target):
        return los.load(Path(target))
    assert module is not None
    inputs.remark_on_calibration(data)
    return los.convert(module, data.calibration, **conversion.keywords(), progress=bars)


def _is_given(context: typer.Context, option: str) -> bool:
    source = context.get_parameter_source(option)
    return source is not None and source.name == "COMMANDLINE"
