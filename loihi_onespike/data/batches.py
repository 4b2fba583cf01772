"""Calibration data in any of the forms that users give, as a list of arrays."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.data.checks import check_finite, float_array
from loihi_onespike.data.dataset import LazyImages
from loihi_onespike.data.loaders import batches_of, inputs_of
from loihi_onespike.errors import CalibrationError, CalibrationWarning, OneSpikeError

BATCH = 64
"""Number of images per batch when the calibration data is one tensor."""
FEW = 4
"""Fewer samples than this are remarked on: hardly any neuron has then shown its range."""


def calibration_batches(calibration: object) -> list[NDArray[np.floating]]:
    """Calibration data as a list of float arrays (n, …).

    Args:
        calibration: a tensor or array (N, …), or an iterable of batches, of pairs (batch, labels) or of
            mappings (`data.loaders`).

    Raises:
        CalibrationError: the data is empty, no real numbers, not finite, or its samples have different shapes.

    Warns:
        CalibrationWarning: all values are the same, or there are fewer than FEW samples.
    """
    if isinstance(calibration, torch.Tensor | np.ndarray | LazyImages):
        array = _array(calibration)
        batches = [array[i : i + BATCH] for i in range(0, len(array), BATCH)]
    elif isinstance(calibration, Iterable) and not isinstance(calibration, str | bytes | Mapping):
        try:
            given = [inputs_of("calibration", b, CalibrationError) for b in batches_of(calibration)]
        except OneSpikeError:
            raise
        except (Exception, SystemExit) as error:  # whatever the user's data set may raise
            raise CalibrationError(
                f"calibration: must be readable to its end, got {type(error).__name__}: {error}; iterate over it "
                "alone to find the sample"
            ) from error
        batches = [b for b in map(_array, given) if len(b)]
    else:
        raise CalibrationError(
            f"calibration: must be a tensor or an iterable of batches, got {type(calibration).__name__}"
        )
    shapes = {b.shape[1:] for b in batches}
    if len(shapes) > 1:
        raise CalibrationError(f"calibration: all samples must have the same shape, got {sorted(shapes)}")
    if not batches or not batches[0].size:
        raise CalibrationError("calibration: must have at least one sample, got none; a few hundred are recommended")
    _warn_when_constant(batches)
    _warn_when_few(batches)
    return batches


def _array(batch: object) -> NDArray[np.floating]:
    values = np.asarray(float_array("calibration", batch, CalibrationError))
    if not isinstance(batch, torch.Tensor | np.ndarray | LazyImages) or values.ndim < 2:
        raise CalibrationError(
            f"calibration: must be batches (N, …) as the model takes them, got {_described(batch, values)}"
        )
    check_finite("calibration", values, CalibrationError)
    return values


def _described(batch: object, values: NDArray[np.floating]) -> str:
    """What was given in place of a batch, with the reshaping or the other model that a vector needs."""
    if not isinstance(batch, torch.Tensor | np.ndarray):
        return type(batch).__name__
    found = f"{'tensor' if isinstance(batch, torch.Tensor) else 'array'} of shape {tuple(values.shape)}"
    if values.ndim != 1:
        return found
    integers = batch.dtype.kind in "iu" if isinstance(batch, np.ndarray) else not batch.is_floating_point()
    if integers:
        return (
            f"{found}; if these are indices of a table of vectors, convert the layers behind the table, and give "
            "table(indices)"
        )
    return f"{found}; one sample needs an axis in front of it, and samples of one number are (N, 1)"


def _warn_when_constant(batches: list[NDArray[np.floating]]) -> None:
    value = batches[0].flat[0]
    if all(np.all(batch == value) for batch in batches):
        samples = sum(map(len, batches))
        warnings.warn(
            f"calibration: all values of {samples} samples are {value:g}, which tells no range; give inputs as the "
            "model sees them in use",
            CalibrationWarning,
            stacklevel=2,
        )


def _warn_when_few(batches: list[NDArray[np.floating]]) -> None:
    samples = sum(map(len, batches))
    if samples < FEW:
        warnings.warn(
            f"calibration: {samples} sample{'s' * (samples > 1)} only, which show{'s' * (samples == 1)} little of the "
            "range of the activations; give a few hundred",
            CalibrationWarning,
            stacklevel=2,
        )
