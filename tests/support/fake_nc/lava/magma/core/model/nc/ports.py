"""Ports that remember what they were connected to."""

from __future__ import annotations


class _Port:
    def __init__(self, name: str) -> None:
        self.name, self.connected = name, []

    def connect(self, other: object) -> None:
        self.connected.append(other)


class NcInPort(_Port):
    """Synaptic input."""


class NcOutPort(_Port):
    """Spikes."""
