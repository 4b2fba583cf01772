"""From option values to data, models and networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from loihi_onespike.cli.terminal.output import remark
from loihi_onespike.conversion.method import Method
from loihi_onespike.errors import ConfigurationError, DataError

if TYPE_CHECKING:
    from torch import nn

    from loihi_onespike.data import Dataset


def base_of(text: str) -> float | Literal["auto"]:
    """Value of --base."""
    if text == "auto":
        return "auto"
    try:
        return float(text)
    except ValueError:
        raise ConfigurationError(f"--base: found {text!r}, supported auto or a number above 1, up to 4") from None


def input_bits_of(text: str) -> int | Literal["auto"]:
    """Value of --input-bits."""
    if text == "auto":
        return "auto"
    try:
        return int(text)
    except ValueError:
        raise ConfigurationError(f"--input-bits: found {text!r}, supported auto or a whole number, 1 to 16") from None


def choice(option: str, value: str, choices: tuple[str, ...]) -> str:
    """The value, if it is one of the choices."""
    if value not in choices:
        raise ConfigurationError(f"{option}: found {value!r}, supported {' and '.join(choices)}")
    return value


def remark_on_calibration(data: Dataset) -> None:
    """Says so when the calibration images are among those that a figure stands for."""
    if not data.calibration_is_separate:
        remark(
            f"{data.name} has one part only: the calibration images are among those that are evaluated; for an "
            "unbiased figure put others into x_calibration (.npz), or pictures into the subfolders train and test"
        )


def read_model(spec: str, weights: Path | None) -> nn.Module:
    """Model by name; what there is to know about it goes to stderr."""
    from loihi_onespike.models import load_model

    loaded = load_model(spec, weights)
    for note in loaded.notes:
        remark(note)
    return loaded.model


def existing(path: Path) -> Path:
    """The path of a network file, which is there."""
    if not path.is_file():
        raise DataError(f"{path}: no such file; `onespike convert` writes one, `onespike demo` too")
    return path


def writable(path: Path) -> Path:
    """The path, once its folder exists; ask before the long work, not after it."""
    if path.is_dir():
        raise DataError(f"{path}: is a folder, supported the name of a file to write")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{path.parent}: cannot be made ({error.strerror})") from error
    return path


def input_code_of(text: str) -> Literal["binary", "single"]:
    return cast(Literal["binary", "single"], choice("--input-code", text, ("binary", "single")))


def normalization_of(text: str) -> Literal["channel", "layer"]:
    return cast(Literal["channel", "layer"], choice("--normalization", text, ("channel", "layer")))


def method_of(name: str, without: Sequence[str]) -> Method:
    """Value of --method and --without."""
    method = Method.of(cast(Literal["calibrated", "paper"], choice("--method", name, ("calibrated", "paper"))))
    if without and not method.sequential:
        raise ConfigurationError(
            f"--without: found {', '.join(without)} with --method {name}, which has no part that could be left out; "
            "supported with --method calibrated"
        )
    for part in without:
        choice("--without", part, Method.names())
    return replace(method, **dict.fromkeys(without, False))
