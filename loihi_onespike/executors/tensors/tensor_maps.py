"""Linear maps on torch tensors, for the executors that work on whole batches.

Weights are moved to torch once per run. With integer weights and spikes the sums are exact: float32 where every sum
stays below 2^24, float64 otherwise (`exact_dtype`).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from loihi_onespike.core.maps import Conv, Dense, Diagonal, LinearMap, Pool, Shape, Sparse, Window
from loihi_onespike.core.maps.registry import MapRegistry

TensorMap = Callable[[torch.Tensor], torch.Tensor]

CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
LAST_IN_MEMORY = {2: torch.channels_last, 3: torch.channels_last_3d}
"""Memory formats of feature maps with their channels last, by the number of spatial axes."""

MakeTensorMap = Callable[[Any, torch.dtype, torch.device, bool], TensorMap]
"""make(op, dtype, device, channels_last): the function (B, *seen shape) → (B, *post shape) of a map."""
TENSOR_MAPS: MapRegistry[MakeTensorMap] = MapRegistry("the tensor map", __name__)


def tensor_map(
    op: LinearMap,
    index: NDArray[np.integer] | None,
    dtype: torch.dtype,
    device: torch.device | str = "cpu",
    channels_last: bool = False,
) -> TensorMap:
    """Function (B, *pre shape) → (B, *post shape) for op(gather(x)).

    The result is of type `dtype`, as x must be, and contiguous.

    Args:
        op: the map.
        index: gather in front of it, see `Synapse.index`.
        dtype: type of the weights, the inputs and the sums.
        device: device of the weights.
        channels_last: keep feature maps with their channels last in memory, in which convolutions need no reordering.

    Raises:
        MissingEntryError: the map has no entry in `TENSOR_MAPS`.
    """
    apply = TENSOR_MAPS[op](op, dtype, torch.device(device), channels_last)
    if index is None:
        return apply
    gather = tensor_gather(index, torch.device(device))
    return lambda x: apply(gather(x))


def exact_dtype(op: LinearMap, largest: int) -> torch.dtype:
    """float32 when sums of integer weights times values of magnitude ≤ `largest` are exact in it, else float64."""
    return torch.float32 if op.row_magnitude * largest < 2**24 else torch.float64


def tensor_gather(index: NDArray[np.integer], device: torch.device) -> TensorMap:
    """Function (B, *pre shape) → (B, *index.shape): pre.ravel()[index], 0 where the index is -1."""
    padded = bool((index < 0).any())
    flat = torch.from_numpy(index.ravel().astype(np.int64)).to(device)
    shape = index.shape

    def gather(x: torch.Tensor) -> torch.Tensor:
        values = x.reshape(len(x), -1)
        if padded:
            values = F.pad(values, (0, 1))
        return values[:, flat if not padded else flat % values.shape[1]].reshape(len(x), *shape)

    return gather


def _padded(window: Window) -> tuple[list[int], list[int] | None]:
    """(padding that torch applies itself, asymmetric padding in F.pad's order or None)."""
    if all(lo == hi for lo, hi in window.padding):
        return [lo for lo, _ in window.padding], None
    return [0] * len(window.kernel), [n for pair in reversed(window.padding) for n in pair]


def _tensor(weight: NDArray[np.generic], dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(weight)).to(device, dtype)


def _convolution(weight: torch.Tensor, window: Window, groups: int) -> TensorMap:
    convolve, (padding, extra) = CONV[len(window.kernel)], _padded(window)
    stride, dilation = list(window.stride), list(window.dilation)

    def apply(x: torch.Tensor) -> torch.Tensor:
        if extra is not None:
            x = F.pad(x, extra)
        return convolve(x, weight, None, stride, padding, dilation, groups)

    return apply


@TENSOR_MAPS.register(Conv)
def _conv(op: Conv, dtype: torch.dtype, device: torch.device, channels_last: bool) -> TensorMap:
    weight = _tensor(op.weight, dtype, device)
    if channels_last and len(op.window.kernel) > 1:
        weight = weight.contiguous(memory_format=LAST_IN_MEMORY[len(op.window.kernel)])
    return _convolution(weight, op.window, op.groups)


@TENSOR_MAPS.register(Dense)
def _dense(op: Dense, dtype: torch.dtype, device: torch.device, channels_last: bool) -> TensorMap:
    weight = _tensor(op.weight, dtype, device)
    return lambda x: F.linear(x, weight)


@TENSOR_MAPS.register(Diagonal)
def _diagonal(op: Diagonal, dtype: torch.dtype, device: torch.device, channels_last: bool) -> TensorMap:
    weight = _tensor(op.weight, dtype, device)
    return lambda x: x * weight


@TENSOR_MAPS.register(Pool)
def _pool(op: Pool, dtype: torch.dtype, device: torch.device, channels_last: bool) -> TensorMap:
    weight = float(op.weight)

    def apply(x: torch.Tensor) -> torch.Tensor:
        kernel = torch.full((x.shape[1], 1, *op.window.kernel), weight, dtype=dtype, device=device)
        return _convolution(kernel, op.window, x.shape[1])(x)

    return apply


@TENSOR_MAPS.register(Sparse)
def _sparse(op: Sparse, dtype: torch.dtype, device: torch.device, channels_last: bool) -> TensorMap:
    matrix: sp.csr_matrix = op.weight
    parts = (matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64), matrix.data)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
        indptr, indices, data = (torch.from_numpy(part) for part in parts)
        weight = torch.sparse_csr_tensor(indptr, indices, data.to(dtype), matrix.shape).to(device)

    def apply(x: torch.Tensor) -> torch.Tensor:
        rest = x.shape[2:]
        columns = x.reshape(len(x), x.shape[1], -1).transpose(0, 1).reshape(x.shape[1], -1)
        out = weight @ columns
        return out.reshape(len(out), len(x), -1).transpose(0, 1).reshape(len(x), len(out), *rest)

    return apply


def max_over_window(window: Window, shape: Shape) -> TensorMap:
    """Maximum over each window of non-negative values (B, *shape); padded places count as 0."""
    pool = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}[len(window.kernel)]
    extra = [n for pair in reversed(window.padding) for n in pair]

    def apply(x: torch.Tensor) -> torch.Tensor:
        return pool(F.pad(x, extra), window.kernel, window.stride, 0, window.dilation)

    return apply
