"""Writing: tables and JSON on stdout, remarks on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from loihi_onespike.json_text import json_text

PLAIN_WIDTH = 120
"""Columns where the output is not a terminal, so that tables are not folded into a file."""


def stdout_console() -> Console:
    return _console(stderr=False)


def stderr_console() -> Console:
    return _console(stderr=True)


def _console(stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else PLAIN_WIDTH
    return Console(stderr=stderr, width=width, highlight=False, soft_wrap=False)


def remark(text: str) -> None:
    """Something the user should know, on stderr."""
    print(f"note: {text}", file=sys.stderr)


def write_json(document: Mapping[str, object]) -> None:
    """Exactly one JSON document on stdout."""
    print(json_text(document))


def show_table(
    console: Console, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], left: int = 1
) -> None:
    """A table whose first `left` columns hold text and the others numbers, and a blank line."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for i, column in enumerate(columns):
        made.add_column(column, justify="left" if i < left else "right", no_wrap=i > 0)
    for row in rows:
        made.add_row(*("-" if cell is None else str(cell) for cell in row))
    _titled(console, title, made)


def show_facts(console: Console, title: str, rows: Iterable[tuple[str, object]]) -> None:
    """Names and values in two columns, both text, and a blank line."""
    made = Table(box=None, show_header=False, pad_edge=False)
    made.add_column(no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in rows:
        made.add_row(name, "-" if value is None else str(value))
    _titled(console, title, made)


def _titled(console: Console, title: str, made: Table) -> None:
    console.print(title, style="bold", markup=False)
    console.print(made)
    console.print()


def without_trailing_blanks(text: str) -> str:
    """Lines as they are read, without the blanks that fill a table to its width."""
    return "\n".join(line.rstrip() for line in text.rstrip().splitlines())


def size_of(path: Path) -> str:
    """Size of a file for people: 12.3 kB, 4.5 MB."""
    size = float(path.stat().st_size)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.2f} GB"


def shape_of(shape: Sequence[int]) -> str:
    return " × ".join(map(str, shape))
