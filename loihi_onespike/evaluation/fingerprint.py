"""What the counts of an evaluation depend on, as short hashes: two runs may share counts when all of them are equal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from hashlib import sha256
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse

from loihi_onespike.core.graphs.network import Network
from loihi_onespike.data.dataset import Images, LazyImages, spread

LOOKED_AT = 16
"""Images that are read where they lie on disk; reading all would cost as much as running them."""
DIGITS = 32
"""Hexadecimal digits that are kept, 128 bits."""
LATER = {"far": None, "product": None, "factor": 0, "dithered": False, "one_sided": None}
"""Fields that earlier versions did not have. At these values they are left out, so that earlier hashes stay."""


def of_network(network: Network) -> str:
    """Hash of everything that is executed; notes on where the network comes from do not count."""
    return digest([network.populations, network.synapses])


def of_model(model: torch.nn.Module | None) -> str:
    """Modules and weights of the ANN, buffers included; "none" without one."""
    if model is None:
        return "none"
    state = {name: value.detach().cpu().numpy() for name, value in model.state_dict().items()}
    return f"{model._get_name()} {digest([repr(model), state])}"


def of_images(images: Images, labels: NDArray[Any]) -> str:
    """Hash of the images and labels; of images on disk, of their positions, shape, and 16 of them."""
    if not isinstance(images, LazyImages):
        return digest([np.asarray(images), np.asarray(labels)])
    some = images[spread(len(images), min(LOOKED_AT, len(images)))]
    return digest([images.shape, images.indices, some, np.asarray(labels)])


def digest(value: Any) -> str:
    """Hash of a value made of dataclasses, containers, arrays and plain values; equal values hash alike."""
    hasher = sha256()
    _feed(hasher, value)
    return hasher.hexdigest()[:DIGITS]


def _is_new(name: str, value: Any) -> bool:
    """Whether an earlier version had no such field, and the value is what it did."""
    return name in LATER and type(value) is type(LATER[name]) and value == LATER[name]


def _feed(hasher: Any, value: Any) -> None:
    if isinstance(value, np.ndarray):
        hasher.update(f"array {value.dtype.str} {value.shape} ".encode())
        hasher.update(np.ascontiguousarray(value).data if value.size else b"")
    elif sparse.issparse(value):
        rows = value.tocsr()
        _feed(hasher, [rows.shape, rows.indptr, rows.indices, rows.data])
    elif is_dataclass(value) and not isinstance(value, type):
        hasher.update(f"{type(value).__name__} ".encode())
        members = {f.name: getattr(value, f.name) for f in fields(value)}
        _feed(hasher, {name: v for name, v in members.items() if not _is_new(name, v)})
    elif isinstance(value, Mapping):
        for key in sorted(value, key=str):
            hasher.update(f"key {key} ".encode())
            _feed(hasher, value[key])
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        hasher.update(f"sequence {len(value)} ".encode())
        for item in value:
            _feed(hasher, item)
    elif value is None or isinstance(value, str | bytes | int | float | Enum | np.generic):
        hasher.update(f"{type(value).__name__} {value!r} ".encode())
    else:  # a new kind of field must not go unnoticed
        raise TypeError(f"fingerprint: must be of dataclasses, arrays and plain values, got {type(value).__name__}")
