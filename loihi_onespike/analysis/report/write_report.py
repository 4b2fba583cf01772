"""`report`: everything about a network on one page."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

import loihi_onespike.analysis.report.page.render as page
from loihi_onespike.analysis.report.content.collect import collect
from loihi_onespike.analysis.report.content.subject import Progress, ReportSubject
from loihi_onespike.analysis.tuning import Front, stored_front
from loihi_onespike.api import OneSpikeNetwork
from loihi_onespike.boards.specification import load_board
from loihi_onespike.boards.specification.spec import Board
from loihi_onespike.data.checks import class_labels
from loihi_onespike.errors import ConfigurationError
from loihi_onespike.evaluation.evaluator import classes_of
from loihi_onespike.frontend import ModelSource, as_module
from loihi_onespike.regular_files import check_folder, check_target, write_whole

DIAGNOSED_IMAGES, PROFILED_IMAGES, SHOWN_IMAGES = 256, 100, 6


def report(
    net: OneSpikeNetwork,
    path: str | Path,
    x: Any,
    y: ArrayLike | None = None,
    *,
    model: ModelSource | None = None,
    mask: ArrayLike | None = None,
    board: Board | str = "oheo_gulch",
    fill_chips: bool = False,
    tune: Front | str | Path | None = None,
    diagnosed_images: int = DIAGNOSED_IMAGES,
    profiled_images: int = PROFILED_IMAGES,
    shown_images: int = SHOWN_IMAGES,
    facts: Mapping[str, str] | None = None,
    classes: Sequence[str] = (),
    progress: Progress | None = None,
) -> Path:
    """Write one self-contained HTML page about a network; it opens from disk and loads nothing from elsewhere.

    The page shows the conversion, accuracy, errors by layer and cause with their price, spikes, levels, the pipeline,
    the placement on a board, time and energy, and the front of a search. What cannot be shown is left out with a
    sentence that says how to get it. All figures come from `evaluate`, `diagnose`, `map_network` and the estimate of
    the board.

    Args:
        net: a converted or loaded network.
        path: file to write, .html.
        x: inputs as the ANN takes them, (N, …), or the arguments of a graph network.
        y: labels (N,); without them the page has no accuracy.
        model: the ANN; by default the one that was converted. Without it the page has no errors.
        mask: nodes of a graph network that count for the accuracy.
        board: board, its name, or the path of its file.
        fill_chips: spread slow layers over cores that are idle on the chips in use.
        tune: result of `tune`, or a file of a search (`analysis.tuning.stored_front`).
        diagnosed_images: images on which errors are measured.
        profiled_images: images on which spikes are counted for the board.
        shown_images: images that one can step through, of those on which spikes are counted.
        facts: names of the file, the data and so on, which the page shows.
        classes: names of the classes.
        progress: called as progress(what, done, of).

    Returns:
        The path.

    Raises:
        ConfigurationError: a number is below 1, inputs, labels or the model cannot be used as `evaluate` and
            `diagnose` say, the network has several outputs, or a package of the extra `report` is not installed.
        BoardError: the board does not exist.
        DataError: the file of the search cannot be used.
        WriteError: the page cannot be written.
    """
    counts = {"diagnosed_images": diagnosed_images, "profiled_images": profiled_images, "shown_images": shown_images}
    for name, count in counts.items():
        if count < 1:
            raise ConfigurationError(f"{name}: must be at least 1, got {count}")
    file = Path(path)
    if file.suffix.lower() not in (".html", ".htm"):
        raise ConfigurationError(f"path: must end in .html, got {str(path)!r}")
    page.check_installed()
    check_folder(check_target(file))
    assert net.network.readout  # refuses several outputs
    onto = board if isinstance(board, Board) else load_board(board)
    front = tune if tune is None or isinstance(tune, Front) else stored_front(tune)
    module = net.model if model is None else as_module(model)
    inputs = x if net.graph is not None else net.input_values(x)
    labels = None
    if y is not None:
        labels = np.asarray(y) if net.graph is not None else class_labels("y", y, len(inputs), classes_of(net.network))
    subject = ReportSubject(
        net, inputs, labels, module, mask, onto, fill_chips, front, dict(facts or {}), tuple(classes), diagnosed_images,
        profiled_images, shown_images, progress or (lambda what, done, of: None),
    )  # fmt: skip
    # The package names this function, so importing it here would be a circle; it is there whenever this module is.
    version = sys.modules["loihi_onespike"].__version__
    write_whole(file, page.render(collect(subject), version).encode("utf-8"))
    return file
