"""Data from a numpy .npz file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.data.archive import ARCHIVE_ERRORS, NPY_MAGIC, read_arrays
from loihi_onespike.data.checks import check_finite, class_labels, described, float_array
from loihi_onespike.data.dataset import Dataset, draw
from loihi_onespike.errors import DataError
from loihi_onespike.regular_files import objection


def load_npz(path: Path, calibration_images: int, seed: int) -> Dataset:
    """Load the arrays `x` (N, …), as the model takes them, and `y` (N,); optionally `x_calibration` (M, …).

    Integer arrays become float32 of the same values. Without `x_calibration` the calibration images are drawn from `x`.
    Pickled objects are never loaded.

    Args:
        path: the file.
        calibration_images: number of calibration images.
        seed: seed of their choice.

    Raises:
        DataError: the file does not exist, is damaged, or its arrays are not of this form.
    """
    arrays = _read(path)
    if any(name not in arrays for name in ("x", "y")):
        alone = "y" not in arrays and ("x" in arrays or "x_calibration" in arrays)
        unlabelled = "; without labels it can calibrate a conversion, but not be evaluated" if alone else ""
        raise DataError(
            f"{path}: must hold the arrays x and y, got {', '.join(sorted(arrays)) or 'none'}; "
            f"write it with numpy.savez(path, x=inputs, y=labels){unlabelled}"
        )
    x = _inputs(path, "x", arrays["x"])
    y = class_labels(f"{path}: y", arrays["y"], len(x), error=DataError)
    separate = "x_calibration" in arrays
    source = _inputs(path, "x_calibration", arrays["x_calibration"]) if separate else x
    if source.shape[1:] != x.shape[1:]:
        raise DataError(
            f"{path}: samples of x and x_calibration must be alike, got {x.shape[1:]} and {source.shape[1:]}"
        )
    calibration = source[draw(len(source), calibration_images, seed)]
    return Dataset(path.name, x, y, calibration, calibration_is_separate=separate)


def load_npz_calibration(path: Path, calibration_images: int, seed: int) -> NDArray[Any]:
    """Inputs to calibrate with: the array `x_calibration`, or `x` where there is none; labels are not asked for.

    Args:
        path: the file.
        calibration_images: number of calibration images.
        seed: seed of their choice.

    Raises:
        DataError: the file does not exist, is damaged, or has neither array.
    """
    arrays = _read(path)
    name = next((name for name in ("x_calibration", "x") if name in arrays), None)
    if name is None:
        raise DataError(
            f"{path}: must hold the array x (or x_calibration), got {', '.join(sorted(arrays)) or 'none'}; "
            "write it with numpy.savez(path, x=inputs)"
        )
    inputs = _inputs(path, name, arrays[name])
    return inputs[draw(len(inputs), calibration_images, seed)]


def _read(path: Path) -> dict[str, NDArray[Any]]:
    try:
        if against := objection(path):
            raise DataError(f"{path}: {against}")
        with path.open("rb") as file:
            if file.read(len(NPY_MAGIC)) == NPY_MAGIC:
                raise DataError(f"{path}: must be an .npz file with the arrays x and y, got a single array")
        return read_arrays(path)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except ARCHIVE_ERRORS as error:
        raise DataError(f"{path}: not a readable .npz file ({str(error)[:200]})") from error


def _inputs(path: Path, name: str, x: NDArray[Any]) -> NDArray[Any]:
    if x.ndim < 2 or x.size == 0 or x.dtype.kind not in "fiub":
        raise DataError(f"{path}: {name}: must be numbers of shape (N, …) with N at least 1, got {described(x)}")
    check_finite(f"{path}: {name}", x, DataError)
    return np.asarray(float_array(f"{path}: {name}", x, DataError))
