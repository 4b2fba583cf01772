"""Output: tables and JSON on stdout, remarks on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from loihi_onespike.json_text import json_text

PLAIN_WIDTH = 120
"""Width in columns where the output is not a terminal, so that tables in a file are not wrapped."""


def stdout_console() -> Console:
    """A console that writes to stdout."""
    return _console(stderr=False)


def stderr_console() -> Console:
    """A console that writes to stderr."""
    return _console(stderr=True)


def _console(stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else PLAIN_WIDTH
    colors: Literal["auto"] | None = "auto" if is_colored() else None
    return Console(stderr=stderr, width=width, highlight=False, soft_wrap=False, color_system=colors)


def is_colored() -> bool:
    """Whether colours, bold text and moving bars are wanted: not where NO_COLOR is set (no-color.org)."""
    return not os.environ.get("NO_COLOR")


def remark(text: str) -> None:
    """Print a note for the user to stderr."""
    print(f"note: {text}", file=sys.stderr)


def write_json(document: Mapping[str, object]) -> None:
    """Print one JSON document to stdout."""
    print(json_text(document))


def show_table(
    console: Console, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], left: int = 1
) -> None:
    """Print a table and a blank line.

    Args:
        console: where the table is printed.
        title: line above the table.
        columns: headings.
        rows: cells, one per column; None is printed as "-".
        left: number of leading columns that hold text and are aligned left; the others hold numbers.
    """
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for i, column in enumerate(columns):
        made.add_column(column, justify="left" if i < left else "right", no_wrap=i > 0)
    for row in rows:
        made.add_row(*map(_cell, row))
    _titled(console, title, made)


def show_facts(console: Console, title: str, rows: Iterable[tuple[str, object]]) -> None:
    """Print names and values in two columns of text, and a blank line.

    Args:
        console: where they are printed.
        title: line above them.
        rows: pairs of a name and a value; None is printed as "-".
    """
    made = Table(box=None, show_header=False, pad_edge=False)
    made.add_column(no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in rows:
        made.add_row(_cell(name), _cell(value))
    _titled(console, title, made)


def _cell(value: object) -> Text:
    """A cell as it is written: brackets in it are no markup."""
    return Text("-" if value is None else str(value))


def _titled(console: Console, title: str, made: Table) -> None:
    console.print(title, style="bold", markup=False)
    console.print(made)
    console.print()


def without_trailing_blanks(text: str) -> str:
    """The text without the blanks at the ends of lines that fill a table to its width."""
    return "\n".join(line.rstrip() for line in text.rstrip().splitlines())


def size_of(path: Path) -> str:
    """Size of a file as text, such as 12.3 kB or 4.5 MB."""
    size = float(path.stat().st_size)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.2f} GB"


def shape_of(shape: Sequence[int]) -> str:
    """A shape as text, such as 3 × 32 × 32."""
    return " × ".join(map(str, shape))
