"""Is SANA-FE installed? Asked before anything of it is imported."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from loihi_onespike.errors import SimulatorError

INSTALL = "pip install 'loihi-onespike[sanafe]'"


def require(module: str = "sanafe") -> Any:
    """The package `sanafe`, or another module of the extra of that name.

    Raises:
        SimulatorError: it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise SimulatorError(f"simulator sanafe: must be installed, got {error}; {INSTALL}") from error
