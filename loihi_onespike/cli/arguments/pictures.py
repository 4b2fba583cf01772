"""Pictures that commands write: the option --plot, its check before the work, and the writing of the file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from loihi_onespike.cli.arguments import inputs, options
from loihi_onespike.errors import ConfigurationError, DataError
from loihi_onespike.regular_files import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 150


def plot_option(what: str) -> Any:
    """The option --plot of a command; `what` says in its help what the picture shows."""
    return typer.Option("--plot", metavar="FILE", help=f"{what} (.png, .svg, .pdf).", rich_help_panel=options.OUTPUT)


def check_picture(path: Path | None) -> None:
    """Check that a picture can be written to a path; called before the long work.

    Raises:
        ConfigurationError: the suffix is not that of a supported picture format.
        DataError: the folder cannot be created.
    """
    if path is None:
        return
    from matplotlib.backend_bases import FigureCanvasBase

    kinds = FigureCanvasBase.get_supported_filetypes()
    if path.suffix.lower().removeprefix(".") not in kinds:
        listed = ", ".join(f".{kind}" for kind in sorted(kinds))
        raise ConfigurationError(f"--plot: must end in one of {listed}, got {str(path)!r}")
    inputs.writable(path)


@contextmanager
def picture(path: Path, size: tuple[float, float]) -> Iterator[Figure]:
    """An empty figure in the style of all pictures, which is written when the block ends.

    Args:
        path: file to write.
        size: width and height in inches.

    Raises:
        DataError: the file cannot be written.
    """
    from matplotlib.figure import Figure

    from loihi_onespike.analysis.plots.style import style

    with style():
        figure = Figure(figsize=size, layout="constrained")
        yield figure
        try:
            drawn = BytesIO()
            figure.savefig(drawn, format=path.suffix.lower().removeprefix("."), dpi=DPI)
            write_whole(path, drawn.getvalue())
        except (ValueError, OSError) as error:
            raise DataError(f"{path}: cannot be written ({error})") from error
