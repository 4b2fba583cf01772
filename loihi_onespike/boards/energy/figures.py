"""A number with its unit, status and source; a number that is not known has none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from loihi_onespike.boards.specification.spec import Quantity, Status

_ORDER: tuple[Status, ...] = ("P", "C", "I", "U", "NF")
"""From firm to loose: a figure made of several is as loose as the loosest."""
COUNTED, MEASURED = "counted", "measured"


@dataclass(frozen=True)
class Figure:
    """One figure of an estimate.

    Attributes:
        name: what it is.
        value: None when it is not known.
        unit: of the value.
        status: P, C, I, U or NF of the table entry it was made with (`boards.specification.spec.Status`); "counted" for
            exact counts of a run, "measured" for what a board said.
        source: where the entry stands, or how the figure came about.
    """

    name: str
    value: float | None
    unit: str
    status: str
    source: str

    def __str__(self) -> str:
        if self.value is None:
            return "unknown"
        if self.unit == "nJ":
            return energy_text(self.value)
        digits = ",.0f" if abs(self.value) >= 1000 else ".4g"
        return f"{self.value:{digits}} {self.unit}"


def counted(name: str, value: float, unit: str, how: str) -> Figure:
    """A figure that was counted."""
    return Figure(name, float(value), unit, COUNTED, how)


def priced(name: str, count: float, unit: str, price: Quantity[float], per: str, factor: float = 1.0) -> Figure:
    """count · price · factor; unknown when the price is.

    Args:
        per: the name of the price, for the source.
        factor: turns the unit of the price into `unit`.
    """
    if price.value is None:
        return Figure(name, None, unit, "NF", price.source or "not found in public")
    return Figure(name, count * price.value * factor, unit, price.status, f"{price} {per}: {price.source}")


def loosest(figures: Iterable[Figure]) -> str:
    """Status of a figure made of these."""
    known = [f.status for f in figures if f.status in _ORDER]
    return max(known, key=lambda s: _ORDER.index(s), default=COUNTED)


def total(name: str, unit: str, parts: Iterable[Figure], source: str) -> Figure:
    """Sum of the parts that are known; unknown when none is."""
    known = [p for p in parts if p.value is not None]
    if not known:
        return Figure(name, None, unit, "NF", source)
    return Figure(name, sum(p.value or 0.0 for p in known), unit, loosest(known), source)


def energy_text(nj: float) -> str:
    """An energy in nJ for people: 799 nJ, 23.7 µJ, 1.09 mJ."""
    for limit, factor, unit in ((1e3, 1.0, "nJ"), (1e6, 1e-3, "µJ")):
        if abs(nj) < limit:
            return f"{nj * factor:,.3g} {unit}"
    return f"{nj * 1e-6:,.3g} mJ"
