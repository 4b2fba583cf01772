"""A variable that the host can read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass
class NcVar:
    name: str
    shape: tuple[int, ...]
    init: Any
    d_type: type
    precision: int | None
