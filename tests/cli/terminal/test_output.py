"""Tables and facts as text."""

import io

import pytest
from rich.console import Console

from loihi_onespike.cli.terminal.output import show_facts, show_table, stdout_console


def test_brackets_are_no_markup():
    console = Console(file=io.StringIO(), width=100)
    show_facts(console, "[title]", [("remedy", 'pip install "loihi-onespike[lava]"'), ("[name]", None)])
    show_table(console, "", ("a", "b"), [("[bold]x", 3)])
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert all(part in text for part in ("[title]", '"loihi-onespike[lava]"', "[name]", "[bold]x"))


@pytest.mark.parametrize(("variable", "colored"), [("1", False), ("", True)])
def test_no_color(monkeypatch, variable, colored):
    """On a terminal; rich takes FORCE_COLOR for one."""
    monkeypatch.setenv("NO_COLOR", variable)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    console = stdout_console()
    with console.capture() as captured:
        show_facts(console, "title", [("a", "b")])
    assert ("\x1b[" in captured.get()) is colored
