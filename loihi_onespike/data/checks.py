"""What users give as inputs, calibration data and labels, checked once for the API and the command line.

Numbers are taken as they are or refused: text, objects, dates and complex numbers are never turned into numbers. Arrays
of integers, booleans and half precision become float32 of the same values.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.data.dataset import Images, LazyImages
from loihi_onespike.errors import ConfigurationError, OneSpikeError

FLOATS = (np.float32, np.float64)


def float_array(argument: str, values: Any, error: type[OneSpikeError] = ConfigurationError) -> Images:
    """Real numbers as an array of float32 or float64; images that are read when they are sliced stay as they are.

    Args:
        argument: name of the argument, for the message.
        values: array, tensor, or anything that numpy makes an array of numbers of.
        error: class of the error.

    Raises:
        OneSpikeError: `error`, for anything else, with what was found and what to do.
    """
    if isinstance(values, LazyImages):
        return values
    array = plain_array(argument, values, "real numbers", error)
    if array.dtype.kind not in "fiub":
        remedy = "take the real part or the magnitude" if array.dtype.kind == "c" else "convert them to numbers"
        raise error(f"{argument}: must be real numbers, got {described(array)}; {remedy}")
    if array.dtype in FLOATS:
        return array
    return array.astype(np.float64 if array.dtype.itemsize > 8 else np.float32)


def plain_array(argument: str, values: Any, wanted: str, error: type[OneSpikeError]) -> NDArray[Any]:
    """A dense array in memory of what was given.

    Args:
        argument: name of the argument, for the message.
        values: array, tensor, or nested sequences.
        wanted: what the values must be, for the message.
        error: class of the error.

    Raises:
        OneSpikeError: `error`, for tensors without plain values, masked arrays, None, text and objects.
    """
    if isinstance(values, torch.Tensor):
        return _of_tensor(argument, values, wanted, error)
    if np.ma.is_masked(values):
        raise error(f"{argument}: must be {wanted}, got an array with masked values; fill or drop them")
    try:
        array = np.asarray(values)
    except (ValueError, TypeError, RuntimeError) as reason:
        first = str(reason).splitlines()[0]
        raise error(
            f"{argument}: must be {wanted} in an array or tensor, got {type(values).__name__} ({first})"
        ) from reason
    if array.ndim == 0 and not isinstance(values, np.ndarray | np.generic | int | float | complex):
        raise error(f"{argument}: must be {wanted} in an array or tensor, got {_shown(values)}")
    return array


def _of_tensor(argument: str, tensor: torch.Tensor, wanted: str, error: type[OneSpikeError]) -> NDArray[Any]:
    for found, applies, remedy in (
        ("a tensor on the meta device, which has no values", tensor.is_meta, "load it onto a real device"),
        ("a quantized tensor", tensor.is_quantized, "pass its dequantize()"),
        (f"a {tensor.layout} tensor", tensor.layout != torch.strided, "pass its to_dense()"),
    ):
        if applies:
            raise error(f"{argument}: must be {wanted} in a dense tensor, got {found}; {remedy}")
    tensor = tensor.detach().cpu()
    array: NDArray[Any] = (tensor.float() if tensor.dtype == torch.bfloat16 else tensor.resolve_conj()).numpy()
    return array


def check_shape(argument: str, found: tuple[int, ...], sample: tuple[int, ...]) -> None:
    """Check that inputs are a batch of at least one sample of the shape that the model takes.

    Args:
        argument: name of the argument, for the message.
        found: shape of the inputs.
        sample: shape of one sample.

    Raises:
        ConfigurationError: another shape; says the right one.
    """
    if found[1:] == sample and found[0] > 0:
        return
    if found == sample:
        remedy = f"a batch of this one sample is {argument}[None]"
    elif found[1:] == sample:
        remedy = "give at least one sample"
    else:
        remedy = "give inputs of the shape that the model was converted with"
    wanted = ", ".join(map(str, ("N", *sample)))
    raise ConfigurationError(f"{argument}: must have shape ({wanted}) with N ≥ 1, got {found}; {remedy}")


def check_finite(argument: str, values: NDArray[Any], error: type[OneSpikeError] = ConfigurationError) -> None:
    """Check that an array has no NaN and no infinity.

    Args:
        argument: name of the argument, for the message.
        values: numbers, (N, …).
        error: class of the error.

    Raises:
        OneSpikeError: `error`, with how many there are and where the first one is.
    """
    bad = ~np.isfinite(values)
    count = int(np.count_nonzero(bad))
    if count:
        sample, *place = (int(i) for i in np.unravel_index(int(np.argmax(bad)), bad.shape))
        inside = f" at {tuple(place)}" if place else ""
        raise error(
            f"{argument}: values must be finite, got NaN or infinity in {count:,} of {bad.size:,} values, first in "
            f"sample {sample}{inside}; replace these values or remove the samples"
        )


def class_labels(
    argument: str,
    labels: Any,
    samples: int,
    classes: int | None = None,
    error: type[OneSpikeError] = ConfigurationError,
    counted: NDArray[np.bool_] | None = None,
) -> NDArray[np.int64]:
    """Class numbers (N,) of N samples.

    Args:
        argument: name of the argument, for the message.
        labels: what was given as labels.
        samples: N.
        classes: number of classes; None where it is not known.
        error: class of the error.
        counted: samples that count, boolean; labels of the others may be any integer.

    Raises:
        OneSpikeError: `error`, where they are not integers in [0, classes - 1], one per sample.
    """
    array = plain_array(argument, labels, "integer class numbers", error)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        remedy = "give integers"
        if array.ndim == 2 and array.shape[1] > 1:
            remedy = f"of one column per class, {argument}.argmax(1) gives the numbers"
        elif array.ndim == 2:
            remedy = f"{argument}[:, 0] has one axis"
        elif array.dtype.kind in "fb":
            remedy = "give integers, not truth values or real numbers"
        wanted = f"integer class numbers of shape ({samples},)"
        raise error(f"{argument}: must be {wanted}, got {described(array)}; {remedy}")
    if len(array) != samples:
        raise error(f"{argument}: must have {samples} labels, one per input, got {len(array)}")
    used = array if counted is None else array[counted]
    if len(used) and (used.min() < 0 or (classes is not None and used.max() >= classes)):
        limit = "at least 0" if classes is None else f"in [0, {classes - 1}]"
        raise error(
            f"{argument}: class numbers must be {limit}, got values in [{used.min()}, {used.max()}]; number the "
            "classes from 0, as the outputs of the model, and leave out samples without a class"
        )
    return array.astype(np.int64)


def check_progress(progress: object) -> None:
    """Raise ConfigurationError for a `progress` that is neither None nor can be called."""
    if progress is not None and not callable(progress):
        raise ConfigurationError(f"progress: must be a function or None, got {type(progress).__name__}")


def described(array: NDArray[Any]) -> str:
    """Type and shape of an array in words."""
    kinds = {"O": "objects", "U": "text", "S": "text", "M": "dates", "m": "durations", "c": "complex numbers"}
    name = kinds.get(array.dtype.kind, str(array.dtype))
    return f"{name} of shape {array.shape}"


def _shown(value: object) -> str:
    return "None" if value is None else f"{type(value).__name__}"
