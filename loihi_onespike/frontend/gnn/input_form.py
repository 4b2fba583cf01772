"""What the host feeds into a converted graph network, and how it follows from the arguments of the model.

    without features   the aggregation matrix A itself, sparse
    with features      A^hops · X, the constant part of the first layers; hops 0 where they do not aggregate

It is kept among the facts of the network, so that a network loaded from a file can be called like the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from loihi_onespike.core.gnn.adjacency import PLAIN, Aggregation
from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.errors import ConfigurationError, FormatError
from loihi_onespike.frontend.gnn.arguments import GraphArguments, graph_arguments

SPARSE_FEATURES = 0.1
"""Features with fewer non-zeros than this share (one-hot, bag of words) are multiplied as a sparse matrix …"""
SPARSE_INPUT = 0.25
"""… and the product stays sparse while it has fewer than this share."""


@dataclass(frozen=True)
class InputForm:
    """How the input follows from the arguments.

    Attributes:
        roles: of the arguments, in the order of the model.
        source: "adjacency" or "features".
        aggregation: matrix that features are multiplied with.
        hops: how often.
        nodes: of the graph.
        graph: fingerprint of the graph that was converted; its edges are synapses.
    """

    roles: tuple[str, ...]
    source: str
    aggregation: Aggregation
    hops: int
    nodes: int
    graph: str

    @classmethod
    def of(cls, arguments: GraphArguments, aggregation: Aggregation = PLAIN, hops: int = 0) -> InputForm:
        """The form of the input of a graph network.

        Args:
            arguments: arguments of the graph network.
            aggregation: form of the aggregation that the host applies.
            hops: number of aggregations that the host applies.
        """
        source = "adjacency" if arguments.features is None else "features"
        return cls(arguments.roles, source, aggregation, hops, arguments.nodes, arguments.digest)

    @property
    def description(self) -> str:
        """For reports: A, X, A·X, A·A·X."""
        return "A" if self.source == "adjacency" else "·".join(["A"] * self.hops + ["X"])

    def arguments(self, x: object) -> GraphArguments:
        """Arguments of a later call; raises ConfigurationError unless the graph is the one that was converted."""
        arguments = graph_arguments(x)
        if arguments.roles != self.roles:
            wanted, found = ", ".join(self.roles), ", ".join(arguments.roles)
            raise ConfigurationError(f"graph: arguments must be {wanted} as in the conversion, got {found}")
        if arguments.nodes != self.nodes or arguments.digest != self.graph:
            raise ConfigurationError(
                f"adjacency: must be the graph that was converted ({self.nodes} nodes), whose edges are synapses, "
                f"got another graph ({arguments.nodes} nodes); convert again with the new graph. Other features on the "
                "same graph need no conversion"
            )
        return arguments

    def values(self, arguments: GraphArguments) -> NDArray[np.floating] | SparseSample:
        """Real input of the network, (1, nodes, features), sparse where most of it is zero."""
        if self.source == "adjacency":
            return SparseSample(self.aggregation.matrix(arguments.graph))
        assert arguments.features is not None
        value: Any = arguments.features
        if np.count_nonzero(value) < SPARSE_FEATURES * value.size:
            value = sp.csr_matrix(value)
        matrix: Any = self.aggregation.matrix(arguments.graph) if self.hops else None
        for _ in range(self.hops):
            value = _dense_where_full(matrix @ value)
        if not sp.issparse(value):
            return np.asarray(value)[None]
        value.sort_indices()
        return SparseSample(sp.csr_matrix(value))

    def to_facts(self) -> dict[str, object]:
        """JSON-like record."""
        return {**asdict(self), "roles": list(self.roles), "input": self.description}

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> InputForm:
        """The record read back; raises FormatError when a field is missing or of another type."""
        try:
            aggregation = Aggregation(**facts["aggregation"])
            roles, hops, nodes = tuple(facts["roles"]), int(facts["hops"]), int(facts["nodes"])
            return cls(roles, str(facts["source"]), aggregation, hops, nodes, str(facts["graph"]))
        except (KeyError, TypeError, ValueError) as error:
            raise FormatError("facts/graph", f"does not tell how the input is formed ({error!r})") from None


def _dense_where_full(value: Any) -> Any:
    """A sparse matrix as an array once it is no longer mostly zero."""
    return value.toarray() if sp.issparse(value) and value.nnz > SPARSE_INPUT * np.prod(value.shape) else value
