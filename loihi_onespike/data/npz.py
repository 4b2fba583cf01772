"""Data from a numpy .npz file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.data.archive import ARCHIVE_ERRORS, LABELS, NPY_MAGIC, NUMBERS, read_arrays
from loihi_onespike.data.checks import check_finite, class_labels, described, float_array
from loihi_onespike.data.dataset import Dataset, Samples, draw
from loihi_onespike.data.named_inputs import ONLY, NamedInputs
from loihi_onespike.errors import DataError
from loihi_onespike.regular_files import objection

CALIBRATION = "_calibration"
"""End of the names of the arrays to calibrate with."""


def load_npz(path: Path, calibration_images: int, seed: int) -> Dataset:
    """Load the arrays `x` (N, …), as the model takes them, and `y` (N,); optionally `x_calibration` (M, …).

    A model of several inputs has an array (N, …) for each of its arguments, of the same name, in place of `x`, and
    optionally `NAME_calibration` for each. Integer arrays become float32 of the same values. Without calibration arrays
    the calibration images are drawn from the others. Pickled objects are never loaded.

    Args:
        path: the file.
        calibration_images: number of calibration images.
        seed: seed of their choice.

    Raises:
        DataError: the file does not exist, is damaged, or its arrays are not of this form.
    """
    arrays = _read(path)
    x = _samples(path, arrays)
    if x is None or LABELS not in arrays:
        alone = LABELS not in arrays and (x is not None or _samples(path, arrays, CALIBRATION) is not None)
        unlabelled = "; without labels it can calibrate a conversion, but not be evaluated" if alone else ""
        raise DataError(
            f"{path}: must hold the arrays x and y, got {', '.join(sorted(arrays)) or 'none'}; write it with "
            f"numpy.savez(path, x=inputs, y=labels), with an array per argument of a model of several{unlabelled}"
        )
    y = class_labels(f"{path}: y", arrays[LABELS], len(x), error=DataError)
    apart = _samples(path, arrays, CALIBRATION)
    source = x if apart is None else apart
    if _shapes(source) != _shapes(x):
        raise DataError(f"{path}: samples of x and x_calibration must be alike, got {_shapes(x)} and {_shapes(source)}")
    calibration = source[draw(len(source), calibration_images, seed)]
    return Dataset(path.name, x, y, calibration, calibration_is_separate=apart is not None)


def load_npz_calibration(path: Path, calibration_images: int, seed: int) -> Samples:
    """Inputs to calibrate with: the array `x_calibration`, or `x` where there is none; labels are not asked for.

    Args:
        path: the file.
        calibration_images: number of calibration images.
        seed: seed of their choice.

    Raises:
        DataError: the file does not exist, is damaged, or has neither array.
    """
    arrays = _read(path)
    found = _samples(path, arrays, CALIBRATION)
    inputs = _samples(path, arrays) if found is None else found
    if inputs is None:
        raise DataError(
            f"{path}: must hold the array x (or x_calibration), got {', '.join(sorted(arrays)) or 'none'}; "
            "write it with numpy.savez(path, x=inputs)"
        )
    return inputs[draw(len(inputs), calibration_images, seed)]


def _samples(path: Path, arrays: Mapping[str, NDArray[Any]], suffix: str = "") -> NDArray[Any] | NamedInputs | None:
    """The input of a file, or its inputs by name; None where there are none.

    Args:
        path: the file, for messages.
        arrays: all of its arrays.
        suffix: end of the names of the inputs.
    """
    names = [name.removesuffix(suffix) for name in arrays if name.endswith(suffix) and name != LABELS]
    if not suffix:
        names = [name for name in names if not name.endswith(CALIBRATION)]
    only = ONLY in names
    rows = len(arrays[ONLY + suffix]) if only and arrays[ONLY + suffix].ndim else None
    several = [name for name in names if name == ONLY or _are_samples(arrays[name + suffix], rows)]
    if len(several) < 2:
        return _inputs(path, ONLY + suffix, arrays[ONLY + suffix]) if only else None
    found = {name: _inputs(path, name + suffix, arrays[name + suffix]) for name in several}
    lengths = {name: len(array) for name, array in found.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"{path}: inputs must have the same number of samples, got {lengths}")
    return NamedInputs(found)


def _are_samples(array: NDArray[Any], rows: int | None) -> bool:
    """Whether an array may be an input: numbers (N, …), as many samples as x has where the file has an x."""
    return array.ndim >= 2 and array.dtype.kind in NUMBERS and (rows is None or len(array) == rows)


def _shapes(inputs: NDArray[Any] | NamedInputs) -> Any:
    if isinstance(inputs, NamedInputs):
        return {name: array.shape[1:] for name, array in inputs.arrays.items()}
    return inputs.shape[1:]


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
    if x.ndim < 2 or x.size == 0 or x.dtype.kind not in NUMBERS:
        raise DataError(f"{path}: {name}: must be numbers of shape (N, …) with N at least 1, got {described(x)}")
    check_finite(f"{path}: {name}", x, DataError)
    return np.asarray(float_array(f"{path}: {name}", x, DataError))
