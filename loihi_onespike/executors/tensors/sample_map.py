"""Linear maps of sparse samples in torch, for the float executor."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import NDArray

from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.core.maps import Dense, LinearMap
from loihi_onespike.core.maps.registry import MapRegistry

COLUMNS: MapRegistry[Callable[[Any], NDArray[Any]]] = MapRegistry(
    "the columns for sparse samples", __name__, otherwise="the sample is turned into a dense array"
)
"""(inputs, outputs) matrix C of maps with y = x C, which multiply the stored entries of a sparse sample alone."""


@COLUMNS.register(Dense)
def _dense(op: Dense) -> NDArray[Any]:
    return op.weight.T


def torch_csr(matrix: sp.csr_matrix, dtype: torch.dtype, device: torch.device | str = "cpu") -> torch.Tensor:
    """Sparse CSR tensor, with 32-bit indices where they suffice.

    Args:
        matrix: the values.
        dtype: type of the tensor.
        device: device of the tensor.
    """
    wide = np.int64 if matrix.nnz >= 2**31 else np.int32
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
        indptr, indices = (torch.from_numpy(part.astype(wide)) for part in (matrix.indptr, matrix.indices))
        data = torch.from_numpy(matrix.data).to(dtype)
        return torch.sparse_csr_tensor(indptr, indices, data, matrix.shape).to(device)


class SampleMap:
    """A linear map that takes sparse samples beside dense tensors (1, nodes, features) → (1, *post shape).

    Maps with an entry in `COLUMNS` multiply the stored entries alone; others, and maps behind a gather, get a dense
    array.

    Args:
        apply: the map for dense tensors.
        op: the map.
        index: gather in front of it, None for none.
        dtype: type of the sums.
        device: device of the sums.
    """

    def __init__(
        self,
        apply: Callable[[torch.Tensor], torch.Tensor],
        op: LinearMap,
        index: NDArray[np.integer] | None,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        self._apply, self._op, self._dtype, self._device = apply, op, dtype, device
        self._make_columns = COLUMNS.find(op) if index is None else None
        self._columns: torch.Tensor | None = None

    def __call__(self, x: torch.Tensor | SparseSample) -> torch.Tensor:
        if isinstance(x, torch.Tensor):
            return self._apply(x)
        if self._make_columns is None:
            dense = x.dense(f"a {type(self._op).__name__} map of a sparse input")
            return self._apply(torch.from_numpy(dense).to(self._device, self._dtype))
        if self._columns is None:
            weight = np.ascontiguousarray(self._make_columns(self._op))
            self._columns = torch.from_numpy(weight).to(self._device, self._dtype)
        return (torch_csr(x.matrix, self._dtype, self._device) @ self._columns)[None]
