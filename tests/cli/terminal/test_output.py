"""Tables and facts as text."""

import io

from rich.console import Console

from loihi_onespike.cli.terminal.output import show_facts, show_table


def test_brackets_are_no_markup():
    console = Console(file=io.StringIO(), width=100)
    show_facts(console, "[title]", [("remedy", 'pip install "loihi-onespike[lava]"'), ("[name]", None)])
    show_table(console, "", ("a", "b"), [("[bold]x", 3)])
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert all(part in text for part in ("[title]", '"loihi-onespike[lava]"', "[name]", "[bold]x"))
