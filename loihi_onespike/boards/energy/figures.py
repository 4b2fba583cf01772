"""A number with its unit, status and source; an unknown number has no value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from loihi_onespike.boards.specification.spec import Quantity, Status

_ORDER: tuple[Status, ...] = ("P", "C", "I", "U", "NF")
"""From the firmest to the loosest status; a figure computed from several has the loosest of theirs."""
COUNTED, MEASURED = "counted", "measured"


@dataclass(frozen=True)
class Figure:
    """One figure of an estimate.

    Attributes:
        name: What the figure is.
        value: The number; None when it is not known.
        unit: Unit of the value.
        status: Status P, C, I, U or NF of the table entry it was computed with (`boards.specification.spec.Status`);
            "counted" for exact counts of a run, "measured" for readings of a board.
        source: Source of the entry, or how the figure was obtained.
        low: Low end of the range that the sources give; None where it is the value.
        high: High end; None where it is the value.
    """

    name: str
    value: float | None
    unit: str
    status: str
    source: str
    low: float | None = None
    high: float | None = None

    @property
    def least(self) -> float | None:
        """The low end of the range; the value where there is none."""
        return self.value if self.low is None else self.low

    @property
    def largest(self) -> float | None:
        """The high end of the range; the value where there is none."""
        return self.value if self.high is None else self.high

    def __str__(self) -> str:
        if self.value is None:
            return "unknown"
        ends = [self._text(end) for end in (self.least, self.largest)]
        return self._text(self.value) + (f" ({' to '.join(ends)})" if ends[0] != ends[1] else "")

    def _text(self, value: float | None) -> str:
        if value is None:
            return "unknown"
        if self.unit == "nJ":
            return energy_text(value)
        digits = ",.0f" if abs(value) >= 1000 else ".4g"
        return (
            f"{value:{digits}}" if self.unit == "1/s" else f"{value:{digits}} {self.unit}"
        )  # "images per second 7,266"


def counted(name: str, value: float, unit: str, how: str) -> Figure:
    """A figure that was counted exactly.

    Args:
        name: What was counted.
        value: The count.
        unit: Its unit.
        how: How it was counted.
    """
    return Figure(name, float(value), unit, COUNTED, how)


def priced(name: str, count: float, unit: str, price: Quantity[float], per: str, factor: float = 1.0) -> Figure:
    """A count times the price of one operation.

        value = count · price · factor

    Args:
        name: What the figure is.
        count: Number of operations.
        unit: Unit of the result.
        price: Price of one operation; where it is unknown, so is the figure.
        per: Unit of the price in words, for the source.
        factor: Converts the unit of the price into `unit`.
    """
    if price.value is None:
        return Figure(name, None, unit, "NF", price.source or "not found in public")
    ranged = f"; {price.least} to {price.largest}: {price.range_source}" if price.range_source else ""
    low, value, high = (None if p is None else count * p * factor for p in (price.low, price.value, price.high))
    return Figure(name, value, unit, price.status, f"{price} {per}: {price.source}{ranged}", low, high)


def loosest(figures: Iterable[Figure]) -> str:
    """Status of a figure that was computed from these."""
    known = [f.status for f in figures if f.status in _ORDER]
    return max(known, key=lambda s: _ORDER.index(s), default=COUNTED)


def total(name: str, unit: str, parts: Iterable[Figure], source: str) -> Figure:
    """Sum of those parts that are known; unknown when none is.

    Args:
        name: What the figure is.
        unit: Unit of all parts.
        parts: Figures to add up.
        source: Source of the sum.
    """
    known = [p for p in parts if p.value is not None]
    if not known:
        return Figure(name, None, unit, "NF", source)
    value, low, high = (sum(getattr(p, end) for p in known) for end in ("value", "least", "largest"))
    return Figure(name, value, unit, loosest(known), source, low, high)


def energy_text(nj: float) -> str:
    """An energy in nJ as text with a readable unit: 799 nJ, 23.7 µJ, 1.09 mJ."""
    for limit, factor, unit in ((1e3, 1.0, "nJ"), (1e6, 1e-3, "µJ")):
        if abs(nj) < limit:
            return f"{nj * factor:,.3g} {unit}"
    return f"{nj * 1e-6:,.3g} mJ"
