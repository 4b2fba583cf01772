"""What all commands share: error messages, the exit status, and a single JSON document on stdout."""

from __future__ import annotations

import logging
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec

import typer
from rich.console import Console

from loihi_onespike.cli.terminal.interrupts import termination_interrupts
from loihi_onespike.cli.terminal.output import remark, stdout_console, without_trailing_blanks, write_json
from loihi_onespike.errors import OneSpikeError, OneSpikeWarning

P = ParamSpec("P")

CHECK_FAILED = 1
CANNOT_USE = 2
INTERRUPTED = 130


@dataclass(frozen=True)
class Result:
    """The result of a command.

    Attributes:
        document: the result as it is printed with --json.
        show: prints the same result as text.
        failed: whether a check that the command makes did not pass; the exit status is then 1.
    """

    document: Mapping[str, object]
    show: Callable[[Console], None]
    failed: bool = False


@contextmanager
def warnings_as_lines() -> Iterator[None]:
    """Print warnings of loihi-onespike as a line on stderr, each kind once; others are shown as usual."""
    shown: set[type[Warning]] = set()
    with warnings.catch_warnings():
        before = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
            if not issubclass(category, OneSpikeWarning):
                before(message, category, *place, **more)
            elif category not in shown:
                shown.add(category)
                print(f"onespike: warning: {message}", file=sys.stderr)

        warnings.showwarning = show
        warnings.simplefilter("always", OneSpikeWarning)
        yield


class _Notes(logging.Handler):
    """Prints what the package logs as notes on stderr."""

    def emit(self, record: logging.LogRecord) -> None:
        remark(record.getMessage())


@contextmanager
def logs_as_notes() -> Iterator[None]:
    """Print what the package logs at level INFO as notes on stderr."""
    log, handler = logging.getLogger("loihi_onespike"), _Notes()
    before = log.level
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)


def command(function: Callable[P, Result]) -> Callable[P, None]:
    """Decorator that makes a command of a function with the options `as_json` and `debug` that returns its result.

    A OneSpikeError is reported as one message on stderr with exit status 2. With --json, stdout holds exactly one
    document (the error, if there is one), even if the user's own model prints something. Ctrl-C and SIGTERM end a
    command with exit status 130 after it has cleaned up. Other exceptions are defects of the program and keep their
    traceback.
    """

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        as_json = bool(kwargs.get("as_json"))
        try:
            on_stdout = redirect_stdout(sys.stderr) if as_json else nullcontext()
            with termination_interrupts(), warnings_as_lines(), logs_as_notes(), on_stdout:
                result = function(*args, **kwargs)
        except OneSpikeError as error:
            if kwargs.get("debug"):
                traceback.print_exc()
            else:
                print(f"onespike: {error}", file=sys.stderr)
            if as_json:
                write_json({"error": {"type": type(error).__name__, "message": str(error)}})
            raise typer.Exit(CANNOT_USE) from error
        except KeyboardInterrupt:
            print("\nonespike: interrupted", file=sys.stderr)
            raise typer.Exit(INTERRUPTED) from None
        if as_json:
            write_json(result.document)
        else:
            console = stdout_console()
            with console.capture() as captured:
                result.show(console)
            print(without_trailing_blanks(captured.get()))
        if result.failed:
            raise typer.Exit(CHECK_FAILED)

    return run
