"""Declaration of a port or variable."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class LavaNcType:
    cls: type
    d_type: type
    precision: int | None = None
