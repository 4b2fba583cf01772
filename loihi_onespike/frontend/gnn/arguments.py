"""Arguments of a graph model: which of them is the graph, and which the features."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import NDArray

from loihi_onespike.core.gnn.adjacency import Edges, canonical, fingerprint
from loihi_onespike.data.checks import check_finite, float_array
from loihi_onespike.errors import ConfigurationError

SUPPORTED = (
    "a torch.sparse adjacency (nodes, nodes), alone or in a tuple with dense features (nodes, features), or a tuple "
    "of features, edge_index (2, edges) and perhaps edge_weight (edges,) of floats, in the order in which the model "
    "takes them; for a batch of graphs also the graph of every node, integers (nodes,)"
)


@dataclass(frozen=True, eq=False)
class GraphArguments:
    """Arguments of one call, with roles that follow from their types and shapes.

    Attributes:
        values: the arguments in the order in which they were given.
        roles: "adjacency", "edge_index", "edge_weight", "features" or "batch", one per argument.
        graph: what the model aggregates over.
        features: (nodes, features) float, None for models called with the graph alone.
    """

    values: tuple[Any, ...]
    roles: tuple[str, ...]
    graph: sp.csr_matrix | Edges
    features: NDArray[np.floating] | None

    @property
    def digest(self) -> str:
        """Digest of the graph, and of the batch where there is one; both become synapses."""
        batch = [
            np.asarray(v, np.int64).tobytes() for v, r in zip(self.values, self.roles, strict=True) if r == "batch"
        ]
        found = fingerprint(self.graph)
        return blake2b(found.encode() + batch[0], digest_size=16).hexdigest() if batch else found

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return self.graph.nodes if isinstance(self.graph, Edges) else int(self.graph.shape[0])


def is_graph(x: object) -> bool:
    """Whether `x` is a tuple of arguments of a graph model, or an adjacency, and not a batch."""
    parts = x if isinstance(x, tuple) else (x,)
    return len(parts) <= 4 and any(_is_sparse(p) or (len(parts) > 1 and _is_edge_index(p)) for p in parts)


def graph_arguments(x: object) -> GraphArguments:
    """Tell the roles of the arguments; raises ConfigurationError naming what was found."""
    values = tuple(x) if isinstance(x, tuple | list) else (x,)
    roles = tuple(_role(v) for v in values)
    graphs = [r for r in roles if r in ("adjacency", "edge_index")]
    if "" in roles or len(graphs) != 1 or len(set(roles)) != len(roles):
        raise ConfigurationError(f"graph: must be {SUPPORTED}, got {', '.join(_describe(v) for v in values)}")
    by_role = dict(zip(roles, values, strict=True))
    if (
        "batch" in by_role
        and "edge_weight" not in by_role
        and len(by_role["batch"]) != len(by_role.get("features", ()))
    ):
        roles = tuple("edge_weight" if role == "batch" else role for role in roles)  # weights may be whole numbers
        by_role["edge_weight"] = by_role.pop("batch")
    features = _array("features", by_role["features"]) if "features" in by_role else None
    graph: sp.csr_matrix | Edges
    if graphs[0] == "adjacency":
        if "edge_weight" in by_role:
            raise ConfigurationError(f"graph: must be {SUPPORTED}, got edge weights beside a sparse adjacency")
        matrix = canonical(_scipy(by_role["adjacency"]))
        if matrix.shape[0] != matrix.shape[1]:
            raise ConfigurationError(f"adjacency: must have one row and one column per node, got shape {matrix.shape}")
        graph, nodes = matrix, matrix.shape[0]
    else:
        if features is None:
            raise ConfigurationError("graph: must be (features, edge_index), got edges without features")
        graph, nodes = _edges(by_role, len(features)), len(features)
    batch = by_role.get("batch")
    if batch is not None and len(batch) != nodes:
        raise ConfigurationError(f"batch: must have the graph of each of {nodes} nodes, got {len(batch)} entries")
    if features is not None and len(features) != nodes:
        raise ConfigurationError(f"features: must have a row for each of {nodes} nodes, got {len(features)} rows")
    return GraphArguments(values, roles, graph, features)


def _edges(by_role: dict[str, Any], nodes: int) -> Edges:
    source, target = np.asarray(by_role["edge_index"]).astype(np.int64)
    weight = by_role.get("edge_weight")
    if len(source) and (min(source.min(), target.min()) < 0 or max(source.max(), target.max()) >= nodes):
        raise ConfigurationError(f"edge_index: node numbers must be in [0, {nodes - 1}], the rows of the features")
    if weight is not None and len(weight) != len(source):
        raise ConfigurationError(f"edge_weight: must have {len(source)} entries, one per edge, got {len(weight)}")
    return Edges(source, target, None if weight is None else _array("edge_weight", weight).astype(np.float32), nodes)


def _is_sparse(x: object) -> bool:
    return sp.issparse(x) or (isinstance(x, torch.Tensor) and x.layout != torch.strided)


def _is_edge_index(x: object) -> bool:
    whole = isinstance(x, torch.Tensor | np.ndarray) and x.ndim == 2 and x.shape[0] == 2
    return whole and _holds_integers(x)  # type: ignore[arg-type]


def _holds_integers(x: torch.Tensor | np.ndarray[Any, Any]) -> bool:
    """Whether the type of an array is one of whole numbers; a tensor without memory has a type too."""
    if isinstance(x, torch.Tensor):
        return not (x.dtype.is_floating_point or x.dtype.is_complex)
    return not np.issubdtype(x.dtype, np.floating)


def _role(x: object) -> str:
    if _is_sparse(x):
        return "adjacency"
    if _is_edge_index(x):
        return "edge_index"
    if isinstance(x, torch.Tensor | np.ndarray):
        return {1: "batch" if _holds_integers(x) else "edge_weight", 2: "features"}.get(x.ndim, "")
    return ""


def _describe(x: object) -> str:
    if isinstance(x, torch.Tensor | np.ndarray) or sp.issparse(x):
        layout = f" {str(x.layout).removeprefix('torch.')}" if isinstance(x, torch.Tensor) else ""
        return f"{type(x).__name__}{layout} of shape {tuple(x.shape)}"  # type: ignore[attr-defined]
    return type(x).__name__


def _array(argument: str, x: Any) -> NDArray[np.floating]:
    array = np.asarray(float_array(argument, x))
    check_finite(argument, array)
    return array


def _scipy(x: Any) -> Any:
    """scipy matrix of a sparse tensor; raises ConfigurationError for layouts other than COO, CSR and CSC."""
    if sp.issparse(x):
        return x
    x = x.detach().cpu()
    if x.ndim != 2:
        raise ConfigurationError(f"adjacency: must have one row and one column per node, got shape {tuple(x.shape)}")
    shape = tuple(x.shape)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
        if x.layout == torch.sparse_coo:
            rows, columns = x._indices().numpy()
            return sp.coo_matrix((x._values().float().numpy(), (rows, columns)), shape=shape)
        if x.layout == torch.sparse_csr:
            parts = (x.values().float(), x.col_indices(), x.crow_indices())
            return sp.csr_matrix(tuple(p.numpy() for p in parts), shape=shape)
        if x.layout == torch.sparse_csc:
            parts = (x.values().float(), x.row_indices(), x.ccol_indices())
            return sp.csc_matrix(tuple(p.numpy() for p in parts), shape=shape)
    raise ConfigurationError(f"adjacency: layout must be COO, CSR or CSC, got {x.layout}; use x.to_sparse_csr()")
