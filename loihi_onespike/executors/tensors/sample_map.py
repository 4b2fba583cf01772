"""Linear maps of sparse samples in torch, for the float executor."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import NDArray

from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.core.maps import Dense, LinearMap


def torch_csr(matrix: sp.csr_matrix, dtype: torch.dtype, device: torch.device | str = "cpu") -> torch.Tensor:
    """Sparse CSR tensor, with 32-bit indices where they suffice."""
    wide = np.int64 if matrix.nnz >= 2**31 else np.int32
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
        indptr, indices = (torch.from_numpy(part.astype(wide)) for part in (matrix.indptr, matrix.indices))
        data = torch.from_numpy(matrix.data).to(dtype)
        return torch.sparse_csr_tensor(indptr, indices, data, matrix.shape).to(device)


class SampleMap:
    """A linear map that takes sparse samples beside dense tensors (1, nodes, features) → (1, *post shape).

    Dense maps multiply the stored entries alone; other maps, and maps behind a gather, get a dense array.
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
        self._entrywise = isinstance(op, Dense) and index is None
        self._columns: torch.Tensor | None = None

    def __call__(self, x: torch.Tensor | SparseSample) -> torch.Tensor:
        if isinstance(x, torch.Tensor):
            return self._apply(x)
        if not self._entrywise:
            dense = x.dense(f"a {type(self._op).__name__} map of a sparse input")
            return self._apply(torch.from_numpy(dense).to(self._device, self._dtype))
        return self.product(x.matrix)

    def product(self, matrix: sp.csr_matrix) -> torch.Tensor:
        """matrix @ W^T, (1, nodes, outputs)."""
        if self._columns is None:
            assert isinstance(self._op, Dense)
            weight = np.ascontiguousarray(self._op.weight.T)
            self._columns = torch.from_numpy(weight).to(self._device, self._dtype)
        return (torch_csr(matrix, self._dtype, self._device) @ self._columns)[None]
