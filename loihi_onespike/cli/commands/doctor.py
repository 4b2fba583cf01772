"""onespike doctor: what is installed, what is missing, and the command that mends it."""

from __future__ import annotations

from dataclasses import asdict

from rich.console import Console

from loihi_onespike.cli.arguments import options
from loihi_onespike.cli.command import Result, command

MARKS = {"ok": "ok", "missing": "MISSING", "optional": "-"}


@command
def doctor(as_json: options.Json = False, debug: options.Debug = False) -> Result:
    """Look at Python, torch, Lava, compilers, threads, GPU, kernels and optional packages, and say what is missing.

    The exit status is 1 when something is missing that every command needs; what only some commands use is listed with
    the command that adds it.

    Example: onespike doctor
    """
    from loihi_onespike.cli.execution.environment import environment

    parts = list(environment())
    missing = [part for part in parts if part.state == "missing"]

    def show(console: Console) -> None:
        from loihi_onespike.cli.terminal.output import show_facts

        rows = [(f"{p.name}: {MARKS[p.state]}", p.found + (f"; {p.remedy}" if p.remedy else "")) for p in parts]
        show_facts(console, "Environment (-: not there, and only some commands use it)", rows)
        lacking = ", ".join(part.name for part in missing)
        console.print(f"Missing: {lacking}" if missing else "Everything that is needed is there.", markup=False)

    return Result({"parts": [asdict(part) for part in parts], "usable": not missing}, show, bool(missing))
