"""How a board is reached: through a SLURM controller or through a host on the network."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from typing import TypeAlias

from loihi_onespike.errors import ConfigurationError

COMMAND_TIMEOUT_S = 10.0
"""Seconds after which ping or sinfo counts as failed."""
STEPPINGS = ("N2A2", "N3B2", "N3B3", "N3C1", "N3D1")
"""Values of lava.utils.loihi.ChipGeneration in lava-nc 0.10.0."""
DEFAULT_STEPPING = "N3B3"
"""Stepping of most systems of Intel's research community (lava-nc 0.10.0, utils/loihi.py)."""
HOST_BINARY = "nxcore/bin/nx_driver_server"
"""Path of the driver on the host, the default of Lava."""


def checked_stepping(stepping: str) -> str:
    """A stepping that Lava knows.

    Args:
        stepping: Stepping of the chips.

    Raises:
        ConfigurationError: it is none of `STEPPINGS`.
    """
    if stepping not in STEPPINGS:
        raise ConfigurationError(f"stepping: must be one of {', '.join(STEPPINGS)}, got {stepping!r}")
    return stepping


@dataclass(frozen=True)
class Slurm:
    """A SLURM cluster with Loihi boards.

    Attributes:
        partition: Partition of the cluster, such as oheogulch; None leaves the choice to SLURM.
        node: Name of one board; None leaves the choice to SLURM.
    """

    partition: str | None = None
    node: str | None = None


@dataclass(frozen=True)
class Ethernet:
    """The host of a board, reached over the network.

    Attributes:
        address: IP address of the host.
        binary: Path of the driver on that host.
    """

    address: str
    binary: str = HOST_BINARY


Access: TypeAlias = "Slurm | Ethernet"


@dataclass(frozen=True)
class SlurmRow:
    """One node, from a line of `sinfo -N`.

    Attributes:
        node: Name of the node.
        partition: Partition that it belongs to.
        state: State as SLURM prints it, such as idle, down or drain.
    """

    node: str
    partition: str
    state: str


def slurm_rows(text: str) -> list[SlurmRow]:
    """Parse the output of `sinfo -N`.

    The header and lines with fewer than four columns are skipped; the `*` that marks the default partition is removed.
    """
    rows = [line.split() for line in text.splitlines()[1:]]
    return [SlurmRow(r[0], r[2].rstrip("*"), r[3]) for r in rows if len(r) >= 4]


def reachable(access: Access) -> tuple[bool, str]:
    """Ask whether a board can be reached.

    Args:
        access: How the board is reached.

    Returns:
        (reachable, sentence that says what was found).
    """
    if isinstance(access, Ethernet):
        answered = _output(["ping", "-c", "1", access.address]) is not None
        return answered, f"{access.address} {'answers' if answered else 'does not answer'} to ping"
    if shutil.which("sinfo") is None:
        return False, "the command sinfo was not found"
    text = _output(["sinfo", "-N"])
    if text is None:
        return False, "sinfo fails: no SLURM controller answers"
    return _among(slurm_rows(text), access)


def _among(rows: list[SlurmRow], access: Slurm) -> tuple[bool, str]:
    listed = ", ".join(sorted({r.partition for r in rows})) or "none"
    chosen = [r for r in rows if access.partition in (None, r.partition) and access.node in (None, r.node)]
    wanted = " and ".join(
        f"{name} {value}" for name, value in (("partition", access.partition), ("node", access.node)) if value
    )
    if not chosen:
        return False, f"SLURM has no {wanted or 'node'}; its partitions: {listed}"
    up = [r for r in chosen if not any(word in r.state for word in ("down", "drain"))]
    if not up:
        return False, f"all {len(chosen)} nodes of {wanted or 'SLURM'} are {chosen[0].state}"
    return True, f"{len(up)} of {len(chosen)} nodes up, {wanted or 'any partition'}"


def _output(command: list[str]) -> str | None:
    """What a command prints; None when it is not there, fails or hangs."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=COMMAND_TIMEOUT_S)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout
