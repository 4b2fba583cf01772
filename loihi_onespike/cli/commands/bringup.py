"""onespike bringup: networks of a few neurons on a board, and the readings that explain what they do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from loihi_onespike.cli.arguments import inputs, options
from loihi_onespike.cli.arguments.board_access import BOARD, BoardAccess
from loihi_onespike.cli.arguments.groups import grouped
from loihi_onespike.cli.command import Result, command
from loihi_onespike.errors import ConfigurationError

if TYPE_CHECKING:
    from loihi_onespike.boards.deployment.backends.board_backend import BackendEntry
    from loihi_onespike.boards.deployment.bringup.ladder_run import LadderRun
    from loihi_onespike.boards.deployment.bringup.symptoms import Explanation


@command
@grouped
def bringup(
    board: BoardAccess,
    network: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Network of the ladder to run; may be repeated.", show_default="all"),
    ] = None,
    explain: Annotated[
        Path | None,
        typer.Option(
            metavar="OBSERVED",
            help="Name the readings of the instructions under which the traces of this file would come out "
            "(docs/bringup.md); nothing is run on a board.",
        ),
    ] = None,
    handover: Annotated[
        Path | None,
        typer.Option(
            "--handover",
            metavar="FOLDER",
            help="Write what has to be loaded with Intel's tools to run the networks (docs/handover.md), and run "
            "nothing.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    reading: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="With --backend stand-in: read an instruction otherwise, by a name of docs/bringup.md.",
            rich_help_panel=BOARD,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="Write what was observed as a JSON file for --explain.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> Result:
    """Run networks of a few neurons on a board and compare the spikes and potentials of every step with the oracle.

    Where they differ, the readings of the instructions are named that explain it. The exit status is 1 when a network
    differs, with --explain when no reading explains it.

    Example: onespike bringup --backend stand-in
    """
    if explain is not None:
        if out is not None or network or reading is not None or handover is not None:
            raise ConfigurationError("--explain: not valid together with --out, --network, --reading or --handover")
        return _explained(explain)
    if handover is not None:
        if out is not None or network or reading is not None:
            raise ConfigurationError("--handover: not valid together with --out, --network or --reading")
        return _handed_over(handover)
    if out is not None:
        inputs.writable(out)

    from loihi_onespike.boards.deployment.backends.registry import backend_of
    from loihi_onespike.boards.deployment.bringup.ladder_run import climb, ladder_programs, only
    from loihi_onespike.boards.deployment.bringup.observed import write_observed
    from loihi_onespike.boards.deployment.deployment import require_ready
    from loihi_onespike.cli.terminal.progress import ProgressBars

    rungs = only(network or ())
    entry, settings = _reading(backend_of(board.backend), reading), board.settings()
    for rung in rungs:
        require_ready(entry, rung.network, settings)
    programs = ladder_programs(board.program, rungs) if entry.takes_programs else {}
    with ProgressBars() as bars:
        done = climb(
            entry,
            settings,
            programs,
            board.delays(),
            rungs=rungs,
            progress=lambda n, of: bars("bring-up networks", n, of),
        )
    if out is not None:
        write_observed(done.traces, out)
    explanation = None if done.equal else done.explanation()
    document = {**done.to_dict(explanation), "observed": None if out is None else str(out)}
    return Result(document, lambda console: show_ladder(console, done, explanation, out), not done.equal)


def _reading(entry: BackendEntry, reading: str | None) -> BackendEntry:
    """The stand-in that reads an instruction otherwise."""
    if reading is None:
        return entry
    from dataclasses import replace

    from loihi_onespike.boards.deployment.backends.stand_in import STAND_IN, StandInBoard
    from loihi_onespike.microcode.semantics import semantics_of

    if entry is not STAND_IN:
        raise ConfigurationError(
            f"--reading: valid with --backend {STAND_IN.name} only, got {entry.name}; a board reads as it does"
        )
    semantics = semantics_of(reading)
    return replace(entry, make=lambda settings: StandInBoard(settings, semantics), where=f"{entry.where}, {reading}")


def _handed_over(folder: Path) -> Result:
    from loihi_onespike.boards.deployment.bringup.ladder import LADDER
    from loihi_onespike.boards.deployment.handover.handover import write_ladder_handover

    write_ladder_handover(folder)
    networks = [rung.name for rung in LADDER]
    text = f"{folder}: hand-over of {', '.join(networks)}"
    return Result({"handover": str(folder), "networks": networks}, lambda console: console.print(text, markup=False))


def _explained(path: Path) -> Result:
    from loihi_onespike.boards.deployment.bringup.observed import read_observed
    from loihi_onespike.boards.deployment.bringup.symptoms import explain

    found = explain(read_observed(path))
    return Result(found.to_dict(), lambda console: show_explanation(console, found), not found.remaining)


def show_ladder(console: Console, done: LadderRun, explanation: Explanation | None, out: Path | None = None) -> None:
    """Print the result of every network, and what explains it.

    Args:
        console: where it is printed.
        done: what the networks did.
        explanation: the readings that explain it; None where all is equal.
        out: file of the observation.
    """
    from loihi_onespike.cli.terminal.output import show_facts

    rows = [(name, run.first or "every spike and potential equal") for name, run in done.runs.items()]
    show_facts(console, f"Bring-up on {done.where}, delays in steps: {done.delays}", rows)
    if explanation is not None:
        show_explanation(console, explanation)
    if out is not None:
        console.print(f"Written: {out}", markup=False)


def show_explanation(console: Console, explanation: Explanation) -> None:
    """Print the readings that explain an observation.

    Args:
        console: where it is printed.
        explanation: the readings.
    """
    from loihi_onespike.boards.deployment.bringup.symptoms import remedies
    from loihi_onespike.cli.terminal.output import show_facts

    for sentence in explanation.sentences():
        console.print(sentence, markup=False)
    console.print()
    if explanation.remaining and (rows := remedies(explanation)):
        show_facts(console, "What then changes in the programs", rows)
