"""One requirement of a run on a board."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

State = Literal["passed", "failed", "not asked"]


@dataclass(frozen=True)
class Check:
    """One requirement of a run on a board.

    Attributes:
        name: What is required.
        state: "passed", "failed", or "not asked" where an earlier failure makes the question pointless.
        found: What was found.
        remedy: What to do when the check failed; empty otherwise.
        board_only: A dry run does not need it.
    """

    name: str
    state: State
    found: str
    remedy: str = ""
    board_only: bool = True

    @property
    def failed(self) -> bool:
        """True when the requirement is not met."""
        return self.state == "failed"

    def to_dict(self) -> dict[str, object]:
        """The fields as JSON-compatible values."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.name}: {self.found}" + (f"; {self.remedy}" if self.remedy else "")
