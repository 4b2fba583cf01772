"""Can Lava run here? Asked before anything of Lava is imported."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

from loihi_onespike.errors import LavaError

INSTALL = "install Python 3.10 and, in an environment made with it, pip install 'loihi-onespike[lava]'"


def why_unavailable() -> str | None:
    """Why Lava cannot run here and what to do about it; None when it can."""
    if os.name != "posix":
        return f"Lava runs on Linux and macOS, not on {sys.platform}; use one of them, or a container"
    if not _installed("lava.magma"):
        found = f"Python {sys.version_info.major}.{sys.version_info.minor}"
        return f"Lava is not installed in this environment (it has {found}, Lava supports 3.10); {INSTALL}"
    return None


def available() -> bool:
    """True when Lava can run here."""
    return why_unavailable() is None


def require() -> None:
    """Raise LavaError when Lava cannot run here."""
    reason = why_unavailable()
    if reason is not None:
        raise LavaError(reason)


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
