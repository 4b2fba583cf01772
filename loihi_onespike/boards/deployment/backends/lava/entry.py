"""The entry of the backend Lava: what it needs, and how a run is rehearsed on Lava's CPU backend."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.boards.deployment import access as way
from loihi_onespike.boards.deployment.backends.board_backend import BackendEntry, BoardSettings, Progress, Rehearsal
from loihi_onespike.boards.deployment.backends.check import Check
from loihi_onespike.boards.deployment.backends.lava.lava_board import LavaBoard
from loihi_onespike.core.graphs.network import Network, Readout, Synapse
from loihi_onespike.core.graphs.verify_network import MAX_WEIGHT
from loihi_onespike.core.maps.connectivity import synapse_matrix
from loihi_onespike.core.trace import Trace
from loihi_onespike.executors import lava as lava_executor
from loihi_onespike.executors.lava.stock_forms import StockForm, stock_form

LAVA_LOIHI = "lava-loihi"
MODULE = "lava.utils.loihi2_profiler"
"""Module that `lava.utils.loihi.is_installed()` looks for."""
GET_LAVA_LOIHI = (
    "install lava-loihi, which Intel gives to members of its neuromorphic research community (INRC), beside lava-nc "
    "0.10.0; without it, --dry-run does everything but the board"
)


def lava_loihi_installed() -> bool:
    """Whether lava-loihi is installed in this environment; answered without importing it."""
    try:
        return find_spec(MODULE) is not None
    except ModuleNotFoundError:  # not even Lava
        return False


def software() -> tuple[Check, Check]:
    """Checks of the two packages that a board needs: Lava and lava-loihi."""
    if lava_loihi_installed():
        return _lava(), Check(LAVA_LOIHI, "passed", "installed")
    return _lava(), Check(LAVA_LOIHI, "failed", "not installed", GET_LAVA_LOIHI)


def _lava() -> Check:
    reason = lava_executor.why_unavailable()
    if reason is None:
        return Check("Lava", "passed", "installed", board_only=False)
    found, _, remedy = reason.partition("; ")
    return Check("Lava", "failed", found, remedy, board_only=False)


def requirements(network: Network, settings: BoardSettings) -> tuple[Check, ...]:
    """Whether the board can be reached, and whether Lava's processes carry the synapses and have the neurons.

    Args:
        network: The network to deploy.
        settings: How the board is reached.
    """
    return _reached(settings.access), _synapses(network), *_products(network)


def _reached(access: way.Access) -> Check:
    name = "board reachable"
    if not lava_loihi_installed():
        return Check(name, "not asked", "lava-loihi comes first")
    up, found = way.reachable(access)
    if up:
        return Check(name, "passed", found)
    if isinstance(access, way.Ethernet):
        return Check(name, "failed", found, "check the address, the cable and that the host is on; or use SLURM")
    return Check(name, "failed", found, "choose another --partition, work on the cluster's login node, or give --host")


def _synapses(network: Network) -> Check:
    """A gather that reads one neuron several times may add up to weights that no stock synapse holds."""
    lost = [s.name for s in network.synapses if _beyond_stock(network, s)]
    if not lost:
        return Check("synapses", "passed", "Lava's Dense, Conv and Sparse carry all of them")
    found = f"weights beyond 8 bits after gathering, or none at all: {', '.join(lost)}"
    return Check(
        "synapses", "failed", found, "lower --weight-bits, or change the layer that reads a neuron several times"
    )


def _products(network: Network) -> tuple[Check, ...]:
    """Products of two sums are not asked for where there are none."""
    found = [p.name for p in network.hidden if p.product is not None]
    if not found:
        return ()
    remedy = "how a second synaptic input reaches a core is not public; take --backend stand-in, or Lava's simulator"
    return (Check("one synaptic input per neuron", "failed", f"products of two sums: {', '.join(found)}", remedy),)


def _beyond_stock(network: Network, synapse: Synapse) -> bool:
    if not np.any(synapse.op.weight_values):  # Sparse, alone of them, holds no matrix of zeros
        pre = network.by_name[synapse.pre]
        assert not isinstance(pre, Readout)
        return stock_form(synapse, pre) is StockForm.SPARSE
    if synapse.index is None:
        return False
    read = synapse.index[synapse.index >= 0]
    if len(np.unique(read)) == read.size:
        return False
    matrix = synapse_matrix(synapse.op, network.by_name[synapse.pre].shape, synapse.index)
    return bool(matrix.nnz == 0 or abs(matrix).max() > MAX_WEIGHT)


def _why_not() -> str | None:
    return lava_executor.why_unavailable()


def _rehearse(
    network: Network, codes: NDArray[np.integer], timeout_s: float | None, progress: Progress | None
) -> Trace:
    """The same graph on Lava's CPU backend, with Lava's own synapses."""
    return lava_executor.run(network, codes, synapses="stock", timeout_s=timeout_s, progress=progress)


LAVA_BOARD = BackendEntry(
    "lava",
    "a Loihi 2 board through Lava and lava-loihi",
    LavaBoard,
    software=software,
    requirements=requirements,
    rehearsal=Rehearsal("Lava's CPU backend", _why_not, _rehearse),
)
