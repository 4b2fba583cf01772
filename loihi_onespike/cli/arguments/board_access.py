"""Options that say what a network runs on and how it is reached."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from loihi_onespike.cli.arguments import options
from loihi_onespike.errors import ConfigurationError

if TYPE_CHECKING:
    from loihi_onespike.boards.deployment import Ethernet, Slurm
    from loihi_onespike.boards.deployment.backends.board_backend import BoardSettings
    from loihi_onespike.boards.deployment.delays import DelayChoice

BOARD, RUN = "Board", "Run"
TRIED = "1, 0 and 2 are tried"


def _board(*names: str, **more: Any) -> Any:
    return typer.Option(*names, rich_help_panel=BOARD, **more)


def _delay(help: str) -> Any:
    return typer.Option(metavar="N", help=help, min=0, show_default=TRIED, rich_help_panel=RUN)


class BackendsInHelp(TyperCommand):
    """A command whose help of --backend lists all backends; they are imported only when the help is shown."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        from loihi_onespike.boards.deployment.backends.registry import description

        for parameter in self.params:
            if parameter.name == "backend":
                parameter.help = f"What runs the network: {description()}."  # type: ignore[attr-defined]
        super().format_help(ctx, formatter)


@dataclass(frozen=True)
class BoardAccess:
    """What a network runs on and how it is reached, for `groups.grouped`.

    Attributes:
        backend: name of the backend.
        program: folder of the microcode files.
        partition: partition of the SLURM cluster.
        node: nodes of the cluster; more than one for an array of jobs only.
        host: address of the host of a board on the network.
        stepping: stepping of the chips.
        input_delay: steps that the input adapter adds.
        output_delay: steps that the adapters of spikes add.
        state_delay: steps until a potential reaches the host.
        timeout: time limit of a run in s.
    """

    backend: Annotated[
        str,
        _board(
            "--backend",
            metavar="NAME",
            help="What runs the network.",
        ),
    ] = "lava"
    program: Annotated[
        Path | None,
        _board(
            "--program",
            metavar="FOLDER",
            help="Folder with one microcode file per population, named after it, written with Intel's tools; those of "
            "the bring-up networks in its folder bringup.",
        ),
    ] = None
    partition: Annotated[str | None, _board("--partition", metavar="NAME", help="Partition of the SLURM cluster.")] = (
        None
    )
    node: Annotated[
        list[str] | None,
        _board(
            "--node",
            metavar="NAME",
            help="Node of the cluster; with --slurm it may be repeated, and jobs take them in turn.",
        ),
    ] = None
    host: Annotated[
        str | None, _board("--host", metavar="ADDRESS", help="Address of the host of a board on the network.")
    ] = None
    stepping: Annotated[str, _board("--stepping", metavar="NAME", help="Stepping of the chips.")] = "N3B3"
    input_delay: Annotated[int | None, _delay("Delay of the input adapter in steps.")] = None
    output_delay: Annotated[int | None, _delay("Delay of the adapters of spikes towards the host in steps.")] = None
    state_delay: Annotated[int | None, _delay("Steps until a potential reaches the host.")] = None
    timeout: options.Timeout = 1800.0

    def access(self) -> Slurm | Ethernet:
        """The way to the board.

        Raises:
            ConfigurationError: two ways are given, or several nodes.
        """
        from loihi_onespike.boards.deployment import Ethernet, Slurm

        if len(self.node or ()) > 1:
            raise ConfigurationError("--node: must be given at most once without --slurm N, got more")
        if self.host is None:
            return Slurm(self.partition, self.node[0] if self.node else None)
        if self.partition or self.node:
            raise ConfigurationError("--host: not valid together with --partition or --node; give one way to the board")
        return Ethernet(self.host)

    def settings(self) -> BoardSettings:
        """How the board is reached, as backends take it."""
        from loihi_onespike.boards.deployment.access import checked_stepping
        from loihi_onespike.boards.deployment.backends.board_backend import BoardSettings

        return BoardSettings(self.access(), checked_stepping(self.stepping), self.timeout)

    def delays(self) -> DelayChoice:
        """Delays that the adapters may have."""
        from loihi_onespike.boards.deployment.delays import DelayChoice

        return DelayChoice(self.input_delay, self.output_delay, self.state_delay)
