"""The tables of the page as rows of cells, which the template writes and the scripts sort and copy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        text: what is shown.
        value: number that the column is sorted by; None sorts by the text.
    """

    text: str
    value: float | None = None


@dataclass(frozen=True)
class HtmlTable:
    """A table of the page.

    Attributes:
        title: caption.
        columns: headings.
        rows: cells, as many as headings.
        note: sentence below the caption.
        folded: whether the page shows the table only when asked.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    folded: bool = False
    numeric: tuple[bool, ...] = field(init=False)

    def __post_init__(self) -> None:
        columns = zip(*self.rows, strict=True) if self.rows else ((),) * len(self.columns)
        numbers = tuple(any(c.value is not None for c in column) for column in columns)
        object.__setattr__(self, "numeric", numbers)


def table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], note: str = "", folded: bool = False
) -> HtmlTable:
    """A table of values.

    Args:
        title: caption.
        columns: headings.
        rows: values; numbers are formatted, None is shown as –, and a `Cell` stays as it is.
        note: sentence below the caption.
        folded: whether the page shows the table only when asked.
    """
    return HtmlTable(title, tuple(columns), tuple(tuple(cell(v) for v in row) for row in rows), note, folded)


def cell(value: Any) -> Cell:
    """The cell of a value."""
    if isinstance(value, Cell):
        return value
    if value is None:
        return Cell("–")
    if isinstance(value, bool):
        return Cell("yes" if value else "no")
    if isinstance(value, int | float):
        return Cell(number(value), float(value))
    if isinstance(value, list | tuple):
        return Cell(" × ".join(map(str, value)))
    return Cell(str(value))


def number(value: float | None, digits: int = 4) -> str:
    """A number as text: integers and large ones with separators, others with some significant digits."""
    if value is None:
        return "–"
    if value == int(value) or abs(value) >= 10**digits:
        return f"{value:,.0f}"
    return f"{value:,.{digits}g}"


def percent(share: float | None, digits: int = 2) -> Cell:
    """A share as a cell in per cent."""
    if share is None:
        return Cell("–")
    text = f"{100 * share:.{digits}f} %"
    return Cell(text.lstrip("-") if float(text[:-2]) == 0 else text, share)


def interval(accuracy: Mapping[str, Any]) -> str:
    """The interval of an accuracy in per cent, as `onespike evaluate` prints it."""
    low, high = accuracy["interval"]
    return f"[{100 * low:.2f}, {100 * high:.2f}]"


def figure(document: Mapping[str, Any]) -> Cell:
    """The value of a figure with its range and unit."""
    value, low, high, unit = (document[k] for k in ("value", "low", "high", "unit"))
    if value is None:
        return Cell("unknown")
    ranged = f" ({amount(low, unit)} to {amount(high, unit)})" if amount(low, unit) != amount(high, unit) else ""
    return Cell(amount(value, unit) + ranged, value)


def amount(value: float, unit: str) -> str:
    """A number with its unit; energies in nJ get a readable one."""
    if unit != "nJ":
        return f"{number(value)} {unit}"
    for limit, factor, name in ((1e3, 1.0, "nJ"), (1e6, 1e-3, "µJ")):
        if abs(value) < limit:
            return f"{value * factor:,.3g} {name}"
    return f"{value * 1e-6:,.3g} mJ"


def sourced(document: Mapping[str, Any]) -> str:
    """Status and source of a figure."""
    return f"{document['status']}: {document['source']}" if document["source"] else document["status"]
