"""What an allocation returns."""

from __future__ import annotations

from typing import Any


class Nodes:
    """One allocation: its table, arguments and connections."""

    def __init__(self, table: str, arguments: dict[str, Any]) -> None:
        self.table, self.arguments, self.connected = table, arguments, []

    def connect(self, other: object) -> None:
        self.connected.append(other)
