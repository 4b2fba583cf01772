"""Preflight: what has to be present before a board is used, each item with a remedy."""

from __future__ import annotations

from collections.abc import Mapping as Named
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np

from loihi_onespike.boards.deployment.access import Access, Ethernet, Slurm, reachable
from loihi_onespike.boards.mapping import Mapping, check_placement, map_network
from loihi_onespike.boards.specification import load_board
from loihi_onespike.boards.specification.spec import Board
from loihi_onespike.core.graphs.network import InputPopulation, Network, Synapse
from loihi_onespike.core.graphs.verify_network import MAX_WEIGHT
from loihi_onespike.core.maps.connectivity import synapse_matrix
from loihi_onespike.errors import ConfigurationError
from loihi_onespike.executors import lava as lava_backend
from loihi_onespike.executors.lava import nc
from loihi_onespike.executors.lava.stock_forms import STOCK_FORMS

State = Literal["passed", "failed", "not asked"]
LAVA_LOIHI = "lava-loihi"
MODULE = "lava.utils.loihi2_profiler"
"""Module that `lava.utils.loihi.is_installed()` looks for."""
GET_LAVA_LOIHI = (
    "install lava-loihi, which Intel gives to members of its neuromorphic research community (INRC), beside lava-nc "
    "0.10.0; without it, --dry-run does everything but the board"
)


@dataclass(frozen=True)
class Check:
    """One requirement of a run on a board.

    Attributes:
        name: What is required.
        state: "passed", "failed", or "not asked" where an earlier failure makes the question pointless.
        found: What was found.
        remedy: What to do when the check failed; empty otherwise.
        board_only: A dry run does not need it.
    """

    name: str
    state: State
    found: str
    remedy: str = ""
    board_only: bool = True

    @property
    def failed(self) -> bool:
        """True when the requirement is not met."""
        return self.state == "failed"

    def to_dict(self) -> dict[str, object]:
        """The fields as JSON-compatible values."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.name}: {self.found}" + (f"; {self.remedy}" if self.remedy else "")


def lava_loihi_installed() -> bool:
    """Whether lava-loihi is installed in this environment; answered without importing it."""
    try:
        return find_spec(MODULE) is not None
    except ModuleNotFoundError:  # not even Lava
        return False


def preflight(
    network: Network,
    board: Board | str,
    *,
    access: Access | None = None,
    program: str | Path | Named[str, str | Path] | None = None,
    mapping: Mapping | None = None,
) -> list[Check]:
    """Make all checks, in the order in which one would fix them.

    Args:
        network: The network to deploy.
        board: A board, its name, or the path of its file.
        access: How the board is reached; SLURM by default.
        program: The microcode files, as `executors.lava.nc.program_files` takes them.
        mapping: Mapping of the network onto the board, where one exists already.

    Returns:
        All checks, passed and failed.

    Raises:
        BoardError: the board does not exist, or its file has problems.
    """
    onto = board if isinstance(board, Board) else load_board(board)
    mapping = map_network(network, onto) if mapping is None else mapping
    installed = lava_loihi_installed()
    return [
        _fits(mapping, onto),
        _agrees(network, mapping),
        _programmable(onto),
        *software(),
        _reached(access or Slurm(), installed),
        _synapses(network),
        _program(network, program),
    ]


def _fits(mapping: Mapping, board: Board) -> Check:
    placement = mapping.placement
    found = f"{len(placement.cores)} of {board.cores} cores, {placement.chips} of {board.chips} chips of {board.name}"
    if mapping.fits:
        return Check("fits the board", "passed", found)
    limits = "; ".join(str(v) for v in mapping.violations)
    return Check("fits the board", "failed", found, limits)


def _agrees(network: Network, mapping: Mapping) -> Check:
    objections = check_placement(network, mapping.placement) if mapping.fits else []
    name = "placement checked independently"
    if not mapping.fits:
        return Check(name, "not asked", "it does not fit")
    if objections:
        return Check(name, "failed", "; ".join(objections), "report this defect: mapper and independent check disagree")
    return Check(name, "passed", "no objections")


def _programmable(board: Board) -> Check:
    if board.chip.neuron.programmable.value:
        return Check("programmable neurons", "passed", board.chip.name)
    remedy = "take a board with Loihi 2, as oheo_gulch: the one-spike neuron is a program"
    return Check("programmable neurons", "failed", f"{board.chip.name} has a fixed neuron", remedy)


def _lava() -> Check:
    reason = lava_backend.why_unavailable()
    if reason is None:
        return Check("Lava", "passed", "installed", board_only=False)
    found, _, remedy = reason.partition("; ")
    return Check("Lava", "failed", found, remedy, board_only=False)


def software() -> tuple[Check, Check]:
    """Checks of the two packages that a board needs: Lava and lava-loihi."""
    if lava_loihi_installed():
        return _lava(), Check(LAVA_LOIHI, "passed", "installed")
    return _lava(), Check(LAVA_LOIHI, "failed", "not installed", GET_LAVA_LOIHI)


def _reached(access: Access, installed: bool) -> Check:
    name = "board reachable"
    if not installed:
        return Check(name, "not asked", "lava-loihi comes first")
    up, found = reachable(access)
    if up:
        return Check(name, "passed", found)
    if isinstance(access, Ethernet):
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


def _beyond_stock(network: Network, synapse: Synapse) -> bool:
    if not np.any(synapse.op.weight_values):  # Sparse, alone of them, holds no matrix of zeros
        return STOCK_FORMS.find(synapse.op) is None or synapse.index is not None
    if synapse.index is None:
        return False
    read = synapse.index[synapse.index >= 0]
    if len(np.unique(read)) == read.size:
        return False
    matrix = synapse_matrix(synapse.op, network.by_name[synapse.pre].shape, synapse.index)
    return bool(matrix.nnz == 0 or abs(matrix).max() > MAX_WEIGHT)


def _program(network: Network, program: str | Path | Named[str, str | Path] | None) -> Check:
    name = "microcode program"
    populations = [p.name for p in network.populations if not isinstance(p, InputPopulation)]
    try:
        files = nc.program_files(populations, program)
    except ConfigurationError as error:
        found, _, remedy = str(error).removeprefix("ucode: ").partition("; ")
        return Check(name, "failed", found, remedy)
    return Check(name, "passed", f"{len(set(files.values()))} files for {len(files)} populations")
