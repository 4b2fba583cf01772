"""The list of all executors. A new one is a module with an `ExecutorEntry`, and a line here."""

from __future__ import annotations

from typing import Any

from loihi_onespike.errors import ConfigurationError
from loihi_onespike.executors.entries.fast_entry import FAST
from loihi_onespike.executors.entries.float_entry import FLOAT
from loihi_onespike.executors.entries.lava_entry import LAVA
from loihi_onespike.executors.entries.microcode_entry import MICROCODE
from loihi_onespike.executors.entries.reference_entry import REFERENCE
from loihi_onespike.executors.protocol import Capabilities, ExecutorEntry

ENTRIES: tuple[ExecutorEntry[Any], ...] = (
    FAST,
    FLOAT,
    REFERENCE,
    MICROCODE,
    LAVA,
)
"""In the order in which help and messages list them."""


def names() -> tuple[str, ...]:
    """The names of all executors."""
    return tuple(entry.name for entry in ENTRIES)


def names_with(capability: str) -> tuple[str, ...]:
    """The names of the executors that have a capability: a field of `Capabilities` that is true."""
    return tuple(entry.name for entry in ENTRIES if getattr(entry.capabilities, capability) is True)


def entry_of(name: str, argument: str = "executor") -> ExecutorEntry[Any]:
    """The executor of a name.

    Args:
        name: what the user asked for.
        argument: the argument or option that named it, for the message.

    Raises:
        ConfigurationError: there is none of that name; lists those that there are.
    """
    for entry in ENTRIES:
        if entry.name == name:
            return entry
    raise ConfigurationError(f"{argument}: must be {listed(names(), 'or')}, got {name!r}")


def description() -> str:
    """All executors with their summaries, for the help of the command line."""
    each = " ".join(f"{entry.name}: {entry.summary}." for entry in ENTRIES)
    return f"{each} {listed(names_with('exact'))} give the same spikes."


def check_capability(entry: ExecutorEntry[Any], capability: str, what: str) -> None:
    """Raise ConfigurationError when an executor lacks a capability; names the executors that have it.

    Args:
        entry: the executor.
        capability: a field of `Capabilities`.
        what: what the capability is needed for.
    """
    assert capability in Capabilities.__dataclass_fields__
    if not getattr(entry.capabilities, capability):
        raise ConfigurationError(
            f"executor: {entry.name!r} does not run {what}; use {listed(names_with(capability), 'or')}"
        )


def listed(values: tuple[str, ...], word: str = "and") -> str:
    """Names in a sentence: "a, b and c"."""
    *first, last = values
    return f"{', '.join(first)} {word} {last}" if first else last
