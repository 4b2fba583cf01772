"""The application `onespike`: its commands, each of which is a module of `loihi_onespike.cli.commands`."""

from __future__ import annotations

from typing import Annotated

import typer

import loihi_onespike
from loihi_onespike.cli.arguments.board_access import BackendsInHelp
from loihi_onespike.cli.commands.bringup import bringup
from loihi_onespike.cli.commands.build import build
from loihi_onespike.cli.commands.convert import convert
from loihi_onespike.cli.commands.demo import demo
from loihi_onespike.cli.commands.deploy import deploy
from loihi_onespike.cli.commands.diagnose import diagnose
from loihi_onespike.cli.commands.doctor import doctor
from loihi_onespike.cli.commands.evaluate import evaluate
from loihi_onespike.cli.commands.export import export
from loihi_onespike.cli.commands.init import init
from loihi_onespike.cli.commands.inspect import inspect
from loihi_onespike.cli.commands.map import map
from loihi_onespike.cli.commands.profile import profile
from loihi_onespike.cli.commands.report import report
from loihi_onespike.cli.commands.run import run
from loihi_onespike.cli.commands.tune import tune

app = typer.Typer(
    name="onespike",
    help="Convert trained PyTorch networks into one-spike networks for Loihi 2: INT8 weights, exact simulation, NetX "
    "files, Lava.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Results go to stdout, progress and remarks to stderr. Exit status: 0 success, 1 a check failed, "
    "2 an argument or a file cannot be used, 130 interrupted.",
)


def _version(value: bool) -> None:
    if value:
        print(loihi_onespike.__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options of the command itself."""


COMMANDS = (
    demo, init, build, convert, evaluate, tune, run, inspect, map, profile, diagnose, report, export, bringup, deploy,
    doctor,
)  # fmt: skip
for command in COMMANDS:
    kind = BackendsInHelp if command in (bringup, deploy) else None
    app.command(no_args_is_help=command not in (demo, build, doctor), cls=kind)(command)
