"""Batches of data loaders in the forms of common libraries: tensors, pairs, mappings, rows of a data set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from loihi_onespike.data.checks import float_array
from loihi_onespike.data.dataset import LazyImages
from loihi_onespike.errors import ConfigurationError, OneSpikeError

INPUT_KEYS = ("pixel_values", "input_values", "inputs", "input", "x", "image", "images", "img", "features", "data")
"""Names of the inputs in a batch that is a mapping; the first that is there is taken."""
LABEL_KEYS = ("labels", "label", "y", "targets", "target")
"""Names of the labels."""
BATCH = 64
"""Rows of a data set of Hugging Face that are read at a time."""


def is_loader(value: object) -> bool:
    """Whether something gives batches when it is iterated over: a DataLoader, a generator, a data set of rows.

    Arrays, tensors, images that are read from disk, and sequences of numbers are no loaders.
    """
    if isinstance(value, torch.Tensor | np.ndarray | LazyImages | Mapping | Sequence):
        return False
    return isinstance(value, Iterable) and not hasattr(value, "__array__")


def batches_of(loader: Iterable[object]) -> Iterator[object]:
    """The batches of a loader; the rows of a data set of Hugging Face are read a few at a time, as it formats them."""
    if hasattr(loader, "column_names") and hasattr(loader, "iter"):
        return iter(loader.iter(batch_size=BATCH))
    return iter(loader)


def inputs_of(argument: str, batch: object, error: type[OneSpikeError]) -> Any:
    """The inputs of a batch: the batch itself, the first of a pair, or an entry of a mapping.

    Args:
        argument: name of the argument, for the message.
        batch: from `batches_of`.
        error: class of the error.

    Raises:
        OneSpikeError: `error`, for a mapping in which no entry is known as the inputs.
    """
    if isinstance(batch, Mapping):
        return _entry(argument, batch, INPUT_KEYS, error)
    return batch[0] if isinstance(batch, tuple | list) and len(batch) else batch


def labelled_arrays(argument: str, loader: Iterable[object]) -> tuple[np.ndarray, np.ndarray]:
    """All inputs and labels of a loader, in memory.

    Args:
        argument: name of the argument, for the message.
        loader: gives pairs (inputs, labels), or mappings with both.

    Raises:
        ConfigurationError: batches without labels, or none at all.
    """
    inputs, labels = [], []
    for batch in batches_of(loader):
        if isinstance(batch, Mapping):
            found = _entry(argument, batch, LABEL_KEYS, ConfigurationError)
        elif isinstance(batch, tuple | list) and len(batch) > 1:
            found = batch[1]
        else:
            raise ConfigurationError(
                f"{argument}: batches must be pairs (inputs, labels) or mappings with both, got "
                f"{type(batch).__name__}; give labels as y"
            )
        inputs.append(np.asarray(float_array(argument, inputs_of(argument, batch, ConfigurationError))))
        labels.append(np.asarray(found))
    if not inputs:
        raise ConfigurationError(f"{argument}: must give at least one batch, got none")
    return np.concatenate(inputs), np.concatenate(labels)


def joined_inputs(argument: str, loader: Iterable[object]) -> np.ndarray:
    """All inputs of a loader, in memory; labels are left out.

    Args:
        argument: name of the argument, for the message.
        loader: gives batches.

    Raises:
        ConfigurationError: it gives no batch.
    """
    found = [
        np.asarray(float_array(argument, inputs_of(argument, batch, ConfigurationError)))
        for batch in batches_of(loader)
    ]
    if not found:
        raise ConfigurationError(f"{argument}: must give at least one batch, got none")
    return np.concatenate(found)


def _entry(argument: str, batch: Mapping[Any, Any], keys: tuple[str, ...], error: type[OneSpikeError]) -> Any:
    for key in keys:
        if key in batch:
            return _stacked(batch[key])
    raise error(
        f"{argument}: batches that are mappings must have one of {', '.join(keys)}, got {', '.join(map(str, batch))}; "
        "rename the entry, or give tensors or pairs"
    )


def _stacked(value: Any) -> Any:
    """Rows of tensors or arrays as one; other lists become an array of numbers."""
    if isinstance(value, list | tuple) and value:
        if isinstance(value[0], torch.Tensor):
            return torch.stack(list(value))
        return np.stack([np.asarray(v) for v in value]) if hasattr(value[0], "__array__") else np.asarray(value)
    return value
