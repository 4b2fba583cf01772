"""From the values of options to data, models and settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from loihi_onespike.cli.terminal.output import remark
from loihi_onespike.errors import ConfigurationError, DataError, ModelLoadError
from loihi_onespike.regular_files import check_folder, check_readable, check_target

if TYPE_CHECKING:
    from torch import nn

    from loihi_onespike.data import Dataset


_WEIGHTS = "weights alone are no model: name its code, such as my_model.py:build, and give this file with --weights"
NO_MODELS = {
    ".py": "name a function or class of the file too, such as {}:build",
    ".npz": "the file of the data follows --data",
    ".h5": "a network that is converted is for `onespike evaluate` and the commands after it",
    **dict.fromkeys((".pt", ".pth", ".ckpt", ".bin", ".safetensors"), _WEIGHTS),
}
"""Endings of files that a user may take for a model, and what to do with each."""


def choice(option: str, value: str, choices: tuple[str, ...]) -> str:
    """The value of an option that has a list of choices.

    Args:
        option: name of the option.
        value: value that was given.
        choices: values that it may have.

    Raises:
        ConfigurationError: the value is none of the choices.
    """
    if value not in choices:
        raise ConfigurationError(f"{option}: must be one of {', '.join(choices)}, got {value!r}")
    return value


def remark_on_calibration(data: Dataset) -> None:
    """Print a note when the calibration images are among those that are evaluated."""
    if not data.calibration_is_separate:
        remark(
            f"{data.name} has one part only, so the calibration images are among those that are evaluated; for an "
            "unbiased figure give others as x_calibration (.npz), or pictures in the subfolders train and test"
        )


def check_model(spec: str | None, weights: Path | None) -> None:
    """Check that the files of a model are there, before torch is imported: a wrong path is found at once.

    Args:
        spec: name of the model as for `read_model`; None for none.
        weights: file of weights, None for none.

    Raises:
        ModelLoadError: a file is missing, no regular file, or of a kind that holds no model.
    """
    if spec is not None:
        source, colon, _ = spec.rpartition(":")
        if spec.endswith((".onnx", ".pt2")):
            check_readable(Path(spec).expanduser(), ModelLoadError)
        elif colon and (source.endswith(".py") or "/" in source):
            check_readable(Path(source).expanduser(), ModelLoadError)
        elif not colon and Path(spec).suffix in NO_MODELS:
            raise ModelLoadError(
                "model: must be file.py:callable, package.module:callable, torchvision:name, an .onnx or a .pt2 file, "
                f"got {spec!r}; {NO_MODELS[Path(spec).suffix].format(spec)}"
            )
    if weights is not None:
        check_readable(weights.expanduser(), ModelLoadError, "no such weights file")


def read_model(spec: str, weights: Path | None) -> nn.Module:
    """The model of a name, with weights from a file if one is given; notes about it are printed to stderr."""
    from loihi_onespike.models import load_model

    loaded = load_model(spec, weights)
    for note in loaded.notes:
        remark(note)
    return loaded.model


def existing(path: Path) -> Path:
    """The path of a network file; DataError where it does not exist or is no regular file."""
    check_readable(path, DataError, "no such file; `onespike convert` or `onespike demo` writes one")
    return path


def writable(path: Path) -> Path:
    """The path of a file to write, after its folder is created; called before the long work.

    Raises:
        DataError: the path is a folder, or its folder cannot be created.
        WriteError: the path is a named pipe, a device or the like, or its folder takes no files.
    """
    try:
        if path.is_dir():
            raise DataError(f"{path}: must be the name of a file to write, but is a folder")
        if not path.parent.is_dir():
            path.parent.mkdir(parents=True)
            remark(f"{path.parent}: folder created")
    except OSError as error:
        raise DataError(f"{path.parent}: cannot be created ({error.strerror})") from error
    check_folder(check_target(path))
    return path


def check_board(board: str | None) -> None:
    """Raise BoardError for a board that does not exist or whose file has problems, before the work; None is none."""
    if board is not None:
        from loihi_onespike.boards.specification import load_board

        load_board(board)
