"""Models with several inputs, and their calibration data, as models with one input."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from loihi_onespike.core.graphs.input_parts import InputParts
from loihi_onespike.data.checks import check_finite, float_array
from loihi_onespike.data.dataset import LazyImages
from loihi_onespike.data.loaders import batches_of
from loihi_onespike.data.named_inputs import NamedInputs
from loihi_onespike.errors import CalibrationError
from loihi_onespike.frontend.importers.batched_module import BatchedModule
from loihi_onespike.frontend.tracing.joined_inputs import JoinedInputs


def argument_names(model: nn.Module, given: Any) -> tuple[str, ...]:
    """Names of the inputs of a model that takes several, empty for one.

    Arguments with a default are inputs where the data are mappings that name them.

    Args:
        model: the model.
        given: its calibration data.
    """
    if isinstance(model, torch.jit.ScriptModule):
        return ()
    if isinstance(model, BatchedModule):
        return model.names
    parameters = inspect.signature(model.forward).parameters.values()
    named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    needed = [p.name for p in named if p.default is p.empty]
    wanted = [p.name for p in named if p.name in given] if isinstance(given, Mapping) else needed
    return tuple(wanted) if len(wanted) > 1 and set(needed) <= set(wanted) else ()


def joined_inputs_of(model: nn.Module, calibration: Any) -> tuple[nn.Module, Any]:
    """A model of several inputs as one with one input, and its calibration data for that; others as they are.

    Args:
        model: any module.
        calibration: for several inputs a tuple or mapping of arrays (N, …), or an iterable of batches of this form
            or of pairs of them with labels.

    Raises:
        CalibrationError: the data are not of this form.
        ConfigurationError: a batch is not that of the others.
    """
    if isinstance(calibration, NamedInputs):
        calibration = calibration.of_model("calibration", _names_among(model, calibration), CalibrationError)
    names = argument_names(model, calibration)
    if not names or isinstance(calibration, torch.Tensor | np.ndarray | LazyImages):
        return model, calibration
    whole = isinstance(calibration, Mapping) or _are_inputs(calibration, names)
    batches = [calibration] if whole else list(_batches(calibration, names))
    if not batches:
        raise CalibrationError("calibration: must have at least one batch, got none")
    missing = [name for name in names if whole and isinstance(calibration, Mapping) and name not in calibration]
    if missing:
        raise CalibrationError(
            f"calibration: must have the entries {', '.join(names)}, got {', '.join(map(str, calibration))}"
        )
    arrays = [_arrays(names, batch) for batch in batches]
    parts = InputParts(names, tuple(array.shape[1:] for array in arrays[0]))
    flat = [parts.joined("calibration", each) for each in arrays]
    return JoinedInputs(model, parts), flat[0] if whole else flat


def _names_among(model: nn.Module, given: NamedInputs) -> tuple[str, ...]:
    """Names of the inputs of a model, those with a default only where the data have them; empty for one input."""
    return argument_names(model, given.arrays) or argument_names(model, None)


def with_parts(model: nn.Module, parts: InputParts | None) -> nn.Module:
    """A model given for comparison in the form of a network with the given inputs; None for one input."""
    return model if parts is None or isinstance(model, JoinedInputs) else JoinedInputs(model, parts)


def _are_inputs(value: Any, names: tuple[str, ...]) -> bool:
    if isinstance(value, Mapping):
        return set(names) <= set(value)
    dense = isinstance(value, tuple | list) and len(value) == len(names)
    return dense and all(isinstance(part, torch.Tensor | np.ndarray) for part in value)


def _batches(calibration: Any, names: tuple[str, ...]) -> Iterable[Any]:
    if not isinstance(calibration, Iterable) or isinstance(calibration, str | bytes):
        raise CalibrationError(
            f"calibration: must be inputs {', '.join(names)} in a tuple or mapping, or an iterable of such batches, "
            f"got {type(calibration).__name__}"
        )
    for batch in batches_of(calibration):
        if _are_inputs(batch, names):
            yield batch
        elif isinstance(batch, tuple | list) and batch and _are_inputs(batch[0], names):
            yield batch[0]  # with labels
        else:
            raise CalibrationError(
                f"calibration: batches must be tuples or mappings of the inputs {', '.join(names)}, got "
                f"{type(batch).__name__}"
            )


def _arrays(names: tuple[str, ...], batch: Any) -> list[NDArray[np.floating]]:
    given = [batch[name] for name in names] if isinstance(batch, Mapping) else list(batch)
    arrays = []
    for name, values in zip(names, given, strict=True):
        array = np.asarray(float_array(f"calibration[{name!r}]", values, CalibrationError))
        if array.ndim < 2 or not array.size:
            raise CalibrationError(f"calibration[{name!r}]: must be samples (N, …), got shape {array.shape}")
        check_finite(f"calibration[{name!r}]", array, CalibrationError)
        arrays.append(array)
    return arrays
