"""Data from a numpy .npz file."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.data.dataset import Dataset, draw
from loihi_onespike.errors import DataError


def load_npz(path: Path, calibration_images: int, seed: int) -> Dataset:
    """Arrays `x` (N, …), as the model takes them, and `y` (N,); optionally `x_calibration` (M, …).

    Integer arrays become float32 of the same values. Without `x_calibration` the calibration images are drawn from `x`.

    Raises DataError naming the file and what is wrong with it. Pickled objects are never loaded.
    """
    arrays = _read(path)
    missing = [name for name in ("x", "y") if name not in arrays]
    if missing:
        raise DataError(
            f"{path}: found the arrays {', '.join(sorted(arrays)) or '(none)'}, missing {' and '.join(missing)}; "
            "write it with numpy.savez(path, x=inputs, y=labels)"
        )
    x, y = _inputs(path, "x", arrays["x"]), _labels(path, arrays["y"])
    if len(x) != len(y):
        raise DataError(f"{path}: found {len(x)} inputs in x and {len(y)} labels in y, supported equal numbers")
    separate = "x_calibration" in arrays
    source = _inputs(path, "x_calibration", arrays["x_calibration"]) if separate else x
    if source.shape[1:] != x.shape[1:]:
        raise DataError(f"{path}: found samples {x.shape[1:]} in x and {source.shape[1:]} in x_calibration")
    calibration = source[draw(len(source), calibration_images, seed)]
    return Dataset(path.name, x, y, calibration, calibration_is_separate=separate)


def _read(path: Path) -> dict[str, NDArray[Any]]:
    try:
        opened = np.load(path, allow_pickle=False)
        if isinstance(opened, np.ndarray):
            raise DataError(f"{path}: found a single array, supported an .npz file with arrays x and y")
        with opened as file:
            return {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (OSError, BadZipFile, EOFError) as error:
        raise DataError(f"{path}: not a readable .npz file ({error})") from error
    except ValueError as error:
        raise DataError(f"{path}: {error}; only plain numeric arrays are loaded, never pickled objects") from error


def _inputs(path: Path, name: str, x: NDArray[Any]) -> NDArray[Any]:
    if x.ndim < 2 or x.size == 0 or x.dtype.kind not in "fiub":
        raise DataError(f"{path}: {name}: found {_described(x)}, supported numbers of shape (N, …), N at least 1")
    return x if x.dtype in (np.float32, np.float64) else x.astype(np.float32)


def _labels(path: Path, y: NDArray[Any]) -> NDArray[np.int64]:
    if y.ndim != 1 or y.dtype.kind not in "iu":
        raise DataError(f"{path}: y: found {_described(y)}, supported whole class numbers of shape (N,)")
    return y.astype(np.int64)


def _described(array: NDArray[Any]) -> str:
    return f"{array.dtype} of shape {array.shape}"
