"""The text of a commented configuration, made from the sections of `RunConfig` and the options of a conversion."""

from __future__ import annotations

import json
import os
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

from loihi_onespike.conversion.options import option_fields, option_infos

if TYPE_CHECKING:
    from loihi_onespike.frontend.importers.input_shape import InputShape

WIDTH = 100

TUNE = """\
# A search before the conversion. Without this section the options below are converted with as they are.
# [tune]
# max_loss = 0.5            # percentage points
# max_latency = 200         # steps from the input to the decision
# minimise = "loss"         # loss, energy, spikes or latency
# trials = 60
# search_images = 500
"""

REST = """
[evaluate]
# images = 1000             # spread evenly over the data; all without this line
executor = "fast"           # fast, reference, microcode, float or lava

# The board that the network is mapped to, and whose time and energy are estimated. Remove the section to leave it out.
[map]
board = "oheo_gulch"        # or the path of a .toml file of your own
images = 100                # images whose spikes are counted
# fill_chips = true         # spread slow layers over cores that are idle on the chips in use

# One page about the network, report.html; needs: pip install "loihi-onespike[report]"
# [report]
# diagnose_images = 256     # images that errors are measured on
# show_images = 6           # images whose spikes the page shows
"""


def config_text(model: str, weights: Path | None, data: str | None, folder: Path, shape: InputShape | None) -> str:
    """The text of a configuration file.

    Args:
        model: name of the model, as it was given.
        weights: file of its weights, None for none.
        data: name of the data, None for that of the model, or a name to replace.
        folder: folder of the configuration file, to which paths in it are relative.
        shape: shape of the input, None where it is not known.
    """
    takes = "as the model takes them" if shape is None else f"{shape} as the model takes them"
    lines = [
        "# A whole run of onespike: `onespike build` runs it, and runs again only what has changed.",
        "# Paths are relative to this file. Lines that begin with # show a default or an example.",
        "",
        'folder = "onespike-run"     # everything that is made',
        "",
        "[model]",
        f"source = {_quoted(_relative_model(model, folder))}",
        '# weights = "weights.pt"    # safetensors, or a state_dict of torch.save'
        if weights is None
        else f"weights = {_quoted(_relative(weights, folder))}",
        "",
        "[data]",
        f"# A few hundred inputs, {takes}:",
        "# digits, FILE.npz (array x; y too if it is evaluated), torchvision:NAME, or a folder of pictures.",
        f"calibration = {_quoted(_own_data(model) if data is None else _relative_data(data, folder))}",
        '# test = "test.npz"        # labelled data to evaluate; without it the test part of `calibration`',
        "# calibration_images = 512",
        "# seed = 0",
        '# root = "data"            # folder of a torchvision data set; nothing is downloaded',
        "# resize = 256             # pictures: shorter side after scaling",
        "# crop = 224               # pictures: side of the centre square",
        '# normalize = "imagenet"   # pictures: imagenet, cifar10, cifar100, mnist, or mean,…/std,…',
        "",
        TUNE,
        "[convert]",
    ]
    infos = option_infos()
    for field in option_fields():
        info = infos[field.name]
        lines += ["", *(f"# {line}" for line in wrap(info.help, WIDTH - 2))]
        if field.default is None:
            lines.append(f"# {field.name} = {info.metavar}   # without it: {info.none}")
        else:
            lines.append(f"# {field.name} = {json.dumps(field.default)}")
    return "\n".join(lines) + "\n" + REST


def _own_data(model: str) -> str:
    """Data of a model that brings its own, or a name to replace."""
    return "digits" if model == "digits" else "calibration.npz"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _relative(path: Path, folder: Path) -> str:
    return os.path.relpath(path.expanduser(), folder)


def _relative_model(model: str, folder: Path) -> str:
    source, colon, name = model.rpartition(":")
    if model.endswith((".onnx", ".pt2")):
        return _relative(Path(model), folder)
    if colon and (source.endswith(".py") or "/" in source):
        return f"{_relative(Path(source), folder)}:{name}"
    return model


def _relative_data(data: str, folder: Path) -> str:
    return data if data == "digits" or data.startswith("torchvision:") else _relative(Path(data), folder)
