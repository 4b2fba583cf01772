"""The list of all backends. A new one is a module with a `BackendEntry`, and a line here."""

from __future__ import annotations

from loihi_onespike.boards.deployment.backends.board_backend import BackendEntry
from loihi_onespike.boards.deployment.backends.lava.entry import LAVA_BOARD
from loihi_onespike.boards.deployment.backends.stand_in import STAND_IN
from loihi_onespike.errors import ConfigurationError

BACKENDS: tuple[BackendEntry, ...] = (
    LAVA_BOARD,
    STAND_IN,
)
"""In the order in which messages list them; the first is the default."""


def backend_of(name: str) -> BackendEntry:
    """The backend of a name.

    Args:
        name: What the user asked for.

    Raises:
        ConfigurationError: there is none of that name; lists those that there are.
    """
    for entry in BACKENDS:
        if entry.name == name:
            return entry
    names = ", ".join(b.name for b in BACKENDS)
    raise ConfigurationError(f"backend: must be one of {names}, got {name!r}; {description()}")


def description() -> str:
    """All backends with their summaries, for help and messages."""
    return "; ".join(f"{b.name} is {b.summary}" for b in BACKENDS)
