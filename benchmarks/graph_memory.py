"""Time and peak memory of whole-graph inference on a random graph, in a process of its own.

    python -m benchmarks.graph_memory --json memory.json
    python -m benchmarks.graph_memory --nodes 2000 --non-zeros 100000 --hidden 16

The network is a two-layer GCN without features, as Text GCN: its input is the sparse adjacency matrix.
"""

from __future__ import annotations

import json
import resource
import time
import warnings

import numpy as np
import scipy.sparse as sp
import torch

import loihi_onespike as los
from benchmarks.command_line import command_parser, write_json


class TwoLayerGcn(torch.nn.Module):
    """A relu(A W0) W1."""

    def __init__(self, nodes: int, hidden: int, classes: int) -> None:
        super().__init__()
        self.w0 = torch.nn.Parameter(torch.randn(nodes, hidden))
        self.w1 = torch.nn.Parameter(torch.randn(hidden, classes) / hidden**0.5)

    def forward(self, adjacency: torch.Tensor) -> torch.Tensor:
        """Class scores (nodes, classes)."""
        return adjacency @ (torch.relu(adjacency @ self.w0) @ self.w1)


def random_adjacency(nodes: int, non_zeros: int, seed: int = 0) -> torch.Tensor:
    """Normalised adjacency matrix of a random graph with self-loops, float32 CSR.

    Args:
        nodes: number of nodes.
        non_zeros: number of entries, at most, self-loops included.
        seed: seed of the graph.
    """
    rng = np.random.default_rng(seed)
    rows, columns = rng.integers(0, nodes, (2, non_zeros - nodes), dtype=np.int32)
    values = rng.random(non_zeros - nodes, dtype=np.float32)
    matrix = (sp.csr_matrix((values, (rows, columns)), (nodes, nodes)) + sp.identity(nodes, np.float32)).tocsr()
    root = np.asarray(matrix.sum(axis=1)).ravel() ** -0.5
    matrix.data *= np.repeat(root, np.diff(matrix.indptr)) * root[matrix.indices]
    starts, indices = matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32)
    return torch.sparse_csr_tensor(
        torch.from_numpy(starts),
        torch.from_numpy(indices),
        torch.from_numpy(matrix.data.astype(np.float32)),
        tuple(matrix.shape),
    )


def peak_mib() -> float:
    """Peak memory of the process in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Run the command."""
    parser = command_parser(__doc__)
    parser.add_argument("--nodes", type=int, default=20_000, metavar="N", help="default: 20,000")
    parser.add_argument("--non-zeros", type=int, default=8_000_000, metavar="N", help="default: 8,000,000")
    parser.add_argument("--hidden", type=int, default=200, metavar="N", help="hidden features (default: 200)")
    parser.add_argument("--classes", type=int, default=20, metavar="N", help="default: 20")
    args = parser.parse_args()
    warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
    torch.manual_seed(0)
    adjacency = random_adjacency(args.nodes, args.non_zeros)
    model = TwoLayerGcn(args.nodes, args.hidden, args.classes).eval()
    seconds: dict[str, float] = {}
    peaks = {"start": peak_mib()}

    def timed(name: str, start: float) -> None:
        seconds[name] = time.perf_counter() - start
        peaks[name] = peak_mib()

    with torch.no_grad():
        start = time.perf_counter()
        expected = model(adjacency).argmax(1).numpy()
        timed("ann", start)
    start = time.perf_counter()
    net = los.convert(model, adjacency, timesteps=16, base=1.3)
    timed("convert", start)
    for name in ("fast", "float"):
        start = time.perf_counter()
        output = net.predict(adjacency, name)
        timed(name, start)
    report = {
        "nodes": args.nodes,
        "non_zeros": int(adjacency._nnz()),
        "hidden": args.hidden,
        "seconds": {k: round(v, 2) for k, v in seconds.items()},
        "peak_mib": {k: round(v) for k, v in peaks.items()},
        "agreement_float": float((output.argmax(1) == expected).mean()),
    }
    print(json.dumps(report, indent=2))
    write_json(args.json, report)


if __name__ == "__main__":
    main()
