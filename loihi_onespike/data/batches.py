"""Calibration data in any of the forms that users give, as a list of arrays."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.errors import CalibrationError

BATCH = 64
"""Number of images per batch when the calibration data is one tensor."""


def calibration_batches(calibration: object) -> list[NDArray[np.floating]]:
    """Calibration data as a list of float arrays (n, …).

    Args:
        calibration: a tensor or array (N, …), or an iterable of batches or of pairs (batch, labels).

    Raises:
        CalibrationError: the data is empty, not numeric, not finite, or its samples have different shapes.
    """
    if isinstance(calibration, torch.Tensor | np.ndarray):
        array = _array(calibration)
        return [array[i : i + BATCH] for i in range(0, len(array), BATCH)] or _none_found()
    if not isinstance(calibration, Iterable):
        raise CalibrationError(
            f"calibration: must be a tensor or an iterable of batches, got {type(calibration).__name__}"
        )
    batches = [_array(b[0] if isinstance(b, tuple | list) and len(b) else b) for b in calibration]
    batches = [b for b in batches if len(b)]
    shapes = {b.shape[1:] for b in batches}
    if len(shapes) > 1:
        raise CalibrationError(f"calibration: all samples must have the same shape, got {sorted(shapes)}")
    return batches or _none_found()


def _array(batch: object) -> NDArray[np.floating]:
    if isinstance(batch, torch.Tensor):
        batch = batch.detach().cpu().numpy()
    if not isinstance(batch, np.ndarray) or batch.ndim < 2:
        found = f"array of shape {batch.shape}" if isinstance(batch, np.ndarray) else type(batch).__name__
        raise CalibrationError(f"calibration: must be batches (N, …) as the model takes them, got {found}")
    values: NDArray[np.floating] = batch.astype(np.float64 if batch.dtype == np.float64 else np.float32)
    if not np.all(np.isfinite(values)):
        raise CalibrationError("calibration: values must be finite, got NaN or infinity; remove those samples")
    return values


def _none_found() -> list[NDArray[np.floating]]:
    raise CalibrationError("calibration: must have at least one sample, got none; a few hundred are recommended")
