"""Preflight: what has to be present before a board is used, each item with a remedy."""

from __future__ import annotations

from collections.abc import Mapping as Named
from pathlib import Path
from typing import TypeAlias

from loihi_onespike.boards.deployment.access import Access, Slurm
from loihi_onespike.boards.deployment.backends.board_backend import BackendEntry, BoardSettings
from loihi_onespike.boards.deployment.backends.check import Check
from loihi_onespike.boards.deployment.backends.registry import BACKENDS
from loihi_onespike.boards.mapping import Mapping, check_placement, map_network
from loihi_onespike.boards.specification import load_board
from loihi_onespike.boards.specification.spec import Board
from loihi_onespike.core.graphs.network import InputPopulation, Network
from loihi_onespike.errors import ConfigurationError
from loihi_onespike.microcode.program_file import program_files

Program: TypeAlias = "str | Path | Named[str, str | Path]"


def preflight(
    network: Network,
    board: Board | str,
    *,
    access: Access | None = None,
    program: Program | None = None,
    mapping: Mapping | None = None,
    backend: BackendEntry | None = None,
) -> list[Check]:
    """Make all checks, in the order in which one would fix them.

    Args:
        network: The network to deploy.
        board: A board, its name, or the path of its file.
        access: How the board is reached; SLURM by default.
        program: The microcode files, as `microcode.program_file.program_files` takes them.
        mapping: Mapping of the network onto the board, where one exists already.
        backend: What the network is to run on; by default the first of `backends.registry`.

    Returns:
        All checks, passed and failed.

    Raises:
        BoardError: the board does not exist, or its file has problems.
    """
    onto = board if isinstance(board, Board) else load_board(board)
    mapping = map_network(network, onto) if mapping is None else mapping
    entry = backend or BACKENDS[0]
    return [
        _fits(mapping, onto),
        _agrees(network, mapping),
        _programmable(onto),
        *entry.software(),
        *entry.requirements(network, BoardSettings(access or Slurm())),
        *([_program(network, program)] if entry.takes_programs else []),
    ]


def _fits(mapping: Mapping, board: Board) -> Check:
    name, placement = "fits the board", mapping.placement
    found = f"{len(placement.cores)} of {board.cores} cores, {placement.chips} of {board.chips} chips of {board.name}"
    if mapping.fits:
        return Check(name, "passed", found, board_only=False)
    limits = "; ".join(str(v) for v in mapping.violations)
    return Check(name, "failed", found, limits, board_only=False)


def _agrees(network: Network, mapping: Mapping) -> Check:
    objections = check_placement(network, mapping.placement) if mapping.fits else []
    name = "placement checked independently"
    if not mapping.fits:
        return Check(name, "not asked", "it does not fit", board_only=False)
    if objections:
        remedy = "report this defect: mapper and independent check disagree"
        return Check(name, "failed", "; ".join(objections), remedy, board_only=False)
    return Check(name, "passed", "no objections", board_only=False)


def _programmable(board: Board) -> Check:
    if board.chip.neuron.programmable.value:
        return Check("programmable neurons", "passed", board.chip.name)
    remedy = "take a board with Loihi 2, as oheo_gulch: the one-spike neuron is a program"
    return Check("programmable neurons", "failed", f"{board.chip.name} has a fixed neuron", remedy)


def programmed(network: Network) -> list[str]:
    """Names of the populations that run a program: all but the input."""
    return [p.name for p in network.populations if not isinstance(p, InputPopulation)]


def _program(network: Network, program: Program | None) -> Check:
    name = "microcode program"
    try:
        files = program_files(programmed(network), program)
    except ConfigurationError as error:
        found, _, remedy = str(error).removeprefix("ucode: ").partition("; ")
        return Check(name, "failed", found, remedy)
    return Check(name, "passed", f"{len(set(files.values()))} files for {len(files)} populations")
