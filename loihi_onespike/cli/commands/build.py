"""onespike build: a whole run from one configuration file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from loihi_onespike.cli.arguments import inputs, options
from loihi_onespike.cli.command import Result, command


@command
def build(
    config: Annotated[
        Path, typer.Argument(metavar="CONFIG", help="Configuration file; `onespike init MODEL` writes one.")
    ] = Path("onespike.toml"),
    again: Annotated[bool, typer.Option("--again", help="Run all steps, finished ones too.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say which steps would run, as far as it is known, and run none.")
    ] = False,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> Result:
    """Tune, convert, evaluate, map, profile and report, as a file says that `onespike init` writes.

    Everything goes into one folder. A step whose configuration and input files are those of an earlier run is not run
    again, and after an interrupt the same command continues. The network file records the whole configuration;
    `onespike inspect` prints it. The exit status is 1 when no setting keeps the limits of the section tune, or when the
    network does not fit the board.

    Example: onespike build onespike.toml
    """
    from loihi_onespike.cli.arguments.run_config import read_config
    from loihi_onespike.cli.execution.build_run import BuildRun
    from loihi_onespike.cli.execution.run_record import RECORD, RunRecord
    from loihi_onespike.cli.reports.tune_report import Lines
    from loihi_onespike.cli.terminal.output import remark
    from loihi_onespike.cli.terminal.progress import ProgressBars

    read = read_config(config)
    rows: list[tuple[str, str, str, str]] = []
    document: dict[str, object] = {}
    failed = False
    with ProgressBars() as bars:
        run = BuildRun(read, config.parent, bars, Lines())
        run.check()
        if not dry_run:
            inputs.writable(run.folder / RECORD)
        record = RunRecord(run.folder)
        for step in run.steps():
            done = None if again else record.finished(step)
            state = "to run" if done is None else "unchanged"
            if done is not None:
                remark(f"{step.name}: unchanged, not run again")
            elif not dry_run:
                remark(f"{step.name}: running")
                done, state = step.work(), "made"
                record.keep(step, done)
            summary = "" if done is None else done.summary
            rows.append((step.name, state, summary, ", ".join(step.files)))
            document[step.name] = {"state": state, "summary": summary, "files": list(step.files)}
            failed = failed or (done is not None and done.failed)
            if done is None or (step.name == "tune" and done.failed):
                break  # what follows depends on it

    def show(console: Console) -> None:
        from loihi_onespike.cli.terminal.output import show_facts

        show_facts(console, f"{config}, results in {run.folder}", [(f"{n}: {s}", t) for n, s, t, _ in rows])
        if dry_run and any(state == "to run" for _, state, _, _ in rows):
            console.print("The steps after this one depend on it.", markup=False)

    return Result({"config": str(config), "folder": str(run.folder), "steps": document}, show, failed)
