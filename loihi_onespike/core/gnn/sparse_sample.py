"""One sample of shape (nodes, features) that is mostly zero: codes or values in CSR, never densely.

    (X W)[n, o] = Σ over the entries i stored in row n of x[n, i] · W[o, i]

Executors accept it as a batch of one sample, (1, nodes, features), wherever they accept arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from loihi_onespike.errors import ConfigurationError

MAX_DENSE_ENTRIES = 2**25
"""Entries of the largest sparse sample that is turned into a dense array where only a dense one will do."""


@dataclass(frozen=True, eq=False)
class SparseSample:
    """A batch of one sample; entries that are not stored are zero.

    Attributes:
        matrix: (nodes, features) in CSR; stored zeros are kept, they are entries that the ANN multiplies too.
    """

    matrix: sp.csr_matrix

    @property
    def shape(self) -> tuple[int, ...]:
        """(1, nodes, features): one sample."""
        return (1, *self.matrix.shape)

    @property
    def nonzeros(self) -> int:
        """Stored entries."""
        return int(self.matrix.nnz)

    def __len__(self) -> int:
        return 1

    def at_entries(self, values: NDArray[np.floating]) -> NDArray[np.floating]:
        """`values`, broadcastable to (nodes, features), at the stored entries: a number or (nonzeros,)."""
        values = np.asarray(values)
        table = values.reshape((1,) * (2 - values.ndim) + values.shape)
        if table.size == 1:
            return table.reshape(())
        if table.shape[0] == 1:
            return table[0, self.matrix.indices]
        rows = np.repeat(np.arange(self.matrix.shape[0]), np.diff(self.matrix.indptr))
        return table[rows, self.matrix.indices if table.shape[1] > 1 else 0]

    def with_data(self, data: NDArray[Any]) -> SparseSample:
        """The same places with other values."""
        m = self.matrix
        return SparseSample(sp.csr_matrix((data, m.indices, m.indptr), shape=m.shape))

    def dense(self, reader: str) -> NDArray[Any]:
        """(1, nodes, features); raises ConfigurationError naming `reader` when it is too large."""
        entries = self.matrix.shape[0] * self.matrix.shape[1]
        if entries > MAX_DENSE_ENTRIES:
            raise ConfigurationError(
                f"{reader} takes dense inputs, and this one has {self.matrix.shape[0]} nodes times "
                f"{self.matrix.shape[1]} features, {entries:,} entries with {self.nonzeros:,} non-zeros; supported "
                f"up to {MAX_DENSE_ENTRIES:,} entries. Use the executors 'fast' or 'float', or a smaller graph"
            )
        return self.matrix.toarray()[None]
