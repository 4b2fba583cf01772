"""Result of an experiment: a table that can be printed and written as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console

from loihi_onespike.cli.terminal.output import show_table
from loihi_onespike.evaluation import Accuracy

Cell = Accuracy | float | int | str | None
Row = Mapping[str, Cell]


@dataclass(frozen=True)
class Table:
    """One table or figure of the paper.

    Attributes:
        title: number of the table and its content.
        rows: cells by column name; all rows have the columns of the first one, in its order.
        notes: explanations, one line each.
        facts: model, data, numbers of images, seed.
    """

    title: str
    rows: Sequence[Row]
    notes: Sequence[str] = ()
    facts: Mapping[str, Cell] | None = None

    def show(self, console: Console) -> None:
        """Print the table with its notes and facts."""
        columns = list(self.rows[0])
        cells = [[_text(row[c]) for c in columns] for row in self.rows]
        leading = next((i for i, c in enumerate(columns) if not isinstance(self.rows[0][c], str)), len(columns))
        show_table(console, self.title, columns, cells, left=max(leading, 1))
        for note in self.notes:
            console.print(note, markup=False)
        if self.facts:
            console.print("; ".join(f"{k}: {_text(v)}" for k, v in self.facts.items()), markup=False)

    def to_dict(self) -> dict[str, object]:
        """JSON-like values."""
        return {
            "title": self.title,
            "rows": [{k: _plain(v) for k, v in row.items()} for row in self.rows],
            "notes": list(self.notes),
            "facts": {k: _plain(v) for k, v in (self.facts or {}).items()},
        }


def _text(cell: Cell) -> str | None:
    if isinstance(cell, float):
        return f"{cell:.4g}" if abs(cell) < 1000 else f"{cell:,.0f}"
    return None if cell is None else str(cell)


def _plain(cell: Cell) -> object:
    return cell.to_dict() if isinstance(cell, Accuracy) else cell
