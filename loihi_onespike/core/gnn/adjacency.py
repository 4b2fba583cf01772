"""The matrix that a graph convolution multiplies by, from the arguments that a model is called with."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from loihi_onespike.core.maps import Shape, Sparse
from loihi_onespike.errors import ConfigurationError


@dataclass(frozen=True, eq=False)
class Edges:
    """A graph as a list of edges, as torch_geometric has it: x of `source` is added to `target`.

    Attributes:
        source, target: (E,) node numbers.
        weight: (E,), None where every edge weighs 1.
        nodes: number of nodes.
    """

    source: NDArray[np.int64]
    target: NDArray[np.int64]
    weight: NDArray[np.float32] | None
    nodes: int

    def matrix(self) -> sp.csr_matrix:
        """A[target, source] = weight, parallel edges added up."""
        return self._matrix(slice(None), self.weight)

    def _matrix(self, chosen: Any, weight: NDArray[np.float32] | None) -> sp.csr_matrix:
        source, target = self.source[chosen], self.target[chosen]
        values = np.ones(len(source), np.float32) if weight is None else weight[chosen]
        return canonical(sp.csr_matrix((values, (target, source)), shape=(self.nodes, self.nodes)))

    def with_remaining_loops(self, fill: float) -> sp.csr_matrix:
        """A loop for every node: its own (the last one given) where it has one, else one of weight `fill`."""
        loops = self.source == self.target
        diagonal = np.full(self.nodes, fill, np.float32)
        diagonal[self.source[loops]] = 1.0 if self.weight is None else self.weight[loops]
        return canonical(self._matrix(~loops, self.weight) + sp.diags(diagonal, format="csr"))


@dataclass(frozen=True)
class Aggregation:
    """How the matrix of one layer follows from the graph it is called with.

        plain        A
        normalized   D^-1/2 (A + loops) D^-1/2, D the row sums of (A + loops), 0 for rows without a sum

    which is `gcn_norm` of torch_geometric (Kipf and Welling, ICLR 2017).

    Attributes:
        normalize: the second form.
        loops: weight of the loops added before, None for none.
    """

    normalize: bool = False
    loops: float | None = None

    def matrix(self, graph: sp.csr_matrix | Edges) -> sp.csr_matrix:
        """CSR (nodes, nodes), float32. Raises ConfigurationError where a node's sum of weights is negative."""
        if self.loops is None:
            matrix = graph.matrix() if isinstance(graph, Edges) else graph
        elif isinstance(graph, Edges):
            matrix = graph.with_remaining_loops(self.loops)
        else:
            matrix = canonical(graph + self.loops * sp.identity(graph.shape[0], np.float32, format="csr"))
        return _normalized(matrix) if self.normalize else matrix


PLAIN = Aggregation()


@dataclass(frozen=True, eq=False)
class Aggregate(Sparse):
    """A sparse map over the nodes while these are the batch of the trace: the shape of a node's value stays.

    Attributes:
        form: how the matrix follows from the arguments, None where the model made it in a way of its own.
    """

    form: Aggregation | None = None

    def output_shape(self, shape: Shape) -> Shape:
        """The shape of one node's value."""
        return shape

    @property
    def takes_leading_axis(self) -> bool:
        """True: the axis that is put in front is that of the nodes."""
        return True


def _normalized(matrix: sp.csr_matrix) -> sp.csr_matrix:
    degree = np.asarray(matrix.sum(axis=1, dtype=np.float64)).ravel()
    if (degree < 0).any():
        node = int(np.flatnonzero(degree < 0)[0])
        raise ConfigurationError(
            f"adjacency: the edge weights onto node {node} must add up to 0 or more, got {degree[node]:.3g}; the "
            "symmetric normalisation takes the square root of this sum"
        )
    with np.errstate(divide="ignore"):
        root = degree**-0.5
    root[~np.isfinite(root)] = 0.0
    values = matrix.data * np.repeat(root, np.diff(matrix.indptr)) * root[matrix.indices]
    return sp.csr_matrix((values.astype(np.float32), matrix.indices, matrix.indptr), shape=matrix.shape)


def canonical(matrix: Any) -> sp.csr_matrix:
    """The same matrix as float32 CSR with sorted columns, equal places added up, zeros left out."""
    result = sp.csr_matrix(matrix, dtype=np.float32, copy=True)
    result.sum_duplicates()
    result.eliminate_zeros()
    result.sort_indices()
    bad = np.count_nonzero(~np.isfinite(result.data))
    if bad:
        raise ConfigurationError(
            f"adjacency: values must be finite, got NaN or infinity in {bad} of {result.nnz} entries; replace or drop "
            "these edges"
        )
    return result


def fingerprint(graph: sp.csr_matrix | Edges) -> str:
    """Digest that two graphs share only when shape, places and values are equal."""
    # Of parallel loops the last one counts where loops are completed, their sum elsewhere: both are hashed.
    matrices = [graph.matrix(), graph.with_remaining_loops(0.0)] if isinstance(graph, Edges) else [graph]
    digest = hashlib.blake2b(repr(matrices[0].shape).encode(), digest_size=16)
    for matrix in matrices:
        for part, dtype in ((matrix.indptr, np.int64), (matrix.indices, np.int32), (matrix.data, np.float32)):
            digest.update(np.ascontiguousarray(part, dtype=dtype).data)
    return digest.hexdigest()
