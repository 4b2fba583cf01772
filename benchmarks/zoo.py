"""Conversion of torchvision's networks and a few others: output error against the ANN.

    python -m benchmarks.zoo                             all networks
    python -m benchmarks.zoo --networks resnet18 vgg16   some networks

Both write the rows of the networks that they measure into benchmarks/zoo.md, where the others stay as they are.

The base separates coding errors from errors of the conversion itself: with half of ln(base) over the same range (T
doubled), coding errors halve and the others stay. Weights are torchvision's random initialisation, neither corrected
nor rounded, so that none is fitted to a few inputs. Batch-norm statistics come from the images in two ways: by one pass
in train mode with torchvision's momentum, and as the full statistics of the images.

With full statistics, a random network amplifies noise from layer to layer, since every batch norm removes the mean and
amplifies the rest. The tables therefore also give the error of the ANN when each of its values gets uniform noise of
the size of the rounding of the code.
"""

from __future__ import annotations

import argparse
import gc
import importlib.metadata
import platform
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torchvision import models

from benchmarks.zoo_measurement import (
    CALIBRATED,
    PAPER,
    SEED,
    SETTINGS,
    Row,
    measured,
    textured_images,
    token_features,
    with_statistics,
)
from benchmarks.zoo_networks import Decoder, Encoder, RowSequence, UNet, YoloStyle

REPORT = Path(__file__).with_name("zoo.md")
IMAGES = 4

CONVERTED = {
    "alexnet": 224,
    "vgg11_bn": 224,
    "vgg16": 224,
    "resnet18": 224,
    "resnet34": 224,
    "resnet50": 224,
    "wide_resnet50_2": 224,
    "resnext50_32x4d": 224,
    "googlenet": 224,
    "inception_v3": 299,
    "densenet121": 224,
    "squeezenet1_0": 224,
    "mobilenet_v2": 224,
    "mnasnet1_0": 224,
    "shufflenet_v2_x1_0": 224,
    "regnet_x_400mf": 224,
}
"""Networks of torchvision and the height and width of their images."""
GATED = {
    "mobilenet_v3_small": 64,
    "mobilenet_v3_large": 64,
    "efficientnet_b0": 64,
    "efficientnet_v2_s": 64,
    "convnext_tiny": 64,
    "vit_b_16": 64,
    "swin_t": 64,
}
"""Networks of torchvision with products of activations: gates, layer norm, softmax."""


def torchvision_network(name: str, size: int) -> tuple[nn.Module, NDArray[np.float32]]:
    """A network of torchvision with random weights, and its images.

    Args:
        name: its name there.
        size: height and width of the images.
    """
    torch.manual_seed(SEED)
    options: dict[str, object] = {}
    if name in ("googlenet", "inception_v3"):
        options = {"init_weights": True, "transform_input": False}
    elif name.startswith("vit_"):
        options = {"image_size": size}
    model: nn.Module = models.get_model(name, weights=None, **options)
    if isinstance(model, models.VisionTransformer):  # its classifier begins with zeros
        nn.init.trunc_normal_(model.heads.head.weight, std=0.02)
    return model, textured_images(IMAGES, size)


def _clips() -> NDArray[np.float32]:
    """Two clips (2, 3, 4, 32, 32) of four images."""
    frames = [textured_images(IMAGES, 32, SEED + i) for i in range(2)]
    return np.ascontiguousarray(np.stack(frames).transpose(0, 2, 1, 3, 4))


OTHERS: Mapping[str, tuple[Callable[[], nn.Module], Callable[[], NDArray[np.float32]]]] = {
    "r3d_18": (lambda: models.video.r3d_18(weights=None), _clips),
    "yolo_style": (YoloStyle, lambda: textured_images(IMAGES, 64)),
    "unet": (UNet, lambda: textured_images(IMAGES, 64)),
    "lstm": (lambda: RowSequence(nn.LSTM, 48), lambda: textured_images(16, 16)),
    "gru": (lambda: RowSequence(nn.GRU, 48), lambda: textured_images(16, 16)),
    "bert_style": (Encoder, lambda: token_features(16, 16, 64)),
    "gpt_style": (Decoder, lambda: token_features(16, 16, 64)),
}
"""Other networks and their inputs."""


def other_network(name: str) -> tuple[nn.Module, NDArray[np.float32]]:
    """A network of OTHERS with random weights, and its inputs."""
    make, inputs = OTHERS[name]
    torch.manual_seed(SEED)
    return make(), inputs()


def one_pass_line(row: Row) -> str:
    """Line of the table with statistics from one pass."""
    first, second = row.errors
    return (
        f"| {row.name} | {row.shape[-1]} | {row.populations} ({row.signed}) | {row.neurons:,} | {first:.2%} "
        f"| {second:.2%} | {second / first:.2f} | {row.mapping:.0e} |"
    )


def full_line(row: Row) -> str:
    """Line of the table with full statistics."""
    return f"| {row.name} | {_pairs(row)} | {row.mapping:.0e} |"


def product_line(row: Row) -> str:
    """Line of the tables of other networks and of those with products of activations."""
    first, second = row.errors
    size = " × ".join(map(str, row.shape))
    return (
        f"| {row.name} | {size} | {row.populations} ({row.signed}) | {row.neurons:,} | {_pairs(row)} "
        f"| {second / first:.2f} | {row.mapping:.0e} |"
    )


def _pairs(row: Row) -> str:
    return " | ".join(f"{error:.2%} | {noise:.2%}" for error, noise in zip(row.errors, row.noise, strict=True))


ERRORS = tuple(f"T={timesteps}, base {base}" for timesteps, base in SETTINGS)
WITH_NOISE = " | ".join(f"{title} | same noise in the ANN" for title in ERRORS)


@dataclass(frozen=True)
class Table:
    """A table of the report.

    Attributes:
        title: heading of the section.
        text: what stands above the table.
        columns: titles of the columns.
        networks: names of the rows.
        measure: from the name of a network to its figures.
        line: from figures to a row.
    """

    title: str
    text: str
    columns: str
    networks: tuple[str, ...]
    measure: Callable[[str], Row]
    line: Callable[[Row], str]

    @property
    def head(self) -> str:
        """Head of the table."""
        return f"| {self.columns} |\n|{'---|' * (self.columns.count('|') + 1)}"

    def lines(self, report: str) -> dict[str, str]:
        """The rows of this table that a report has, by the name of the network."""
        section = report.partition(f"## {self.title}\n")[2].partition("\n## ")[0]
        rows = {line.split("|")[1].strip(): line for line in section.splitlines() if line.startswith("| ")}
        return {name: rows[name] for name in self.networks if name in rows}

    def section(self, lines: Mapping[str, str]) -> str:
        """The section of the report with rows by the name of the network."""
        rows = [lines[name] for name in self.networks if name in lines]
        return "\n".join([f"## {self.title}", "", self.text.strip(), "", self.head, *rows, ""])


def _converted(full: bool) -> Callable[[str], Row]:
    def measure(name: str) -> Row:
        model, x = torchvision_network(name, CONVERTED[name])
        return measured(name, with_statistics(model, x, full), x, PAPER, noise=full)

    return measure


def _gated(name: str) -> Row:
    model, x = torchvision_network(name, GATED[name])
    return measured(name, with_statistics(model, x, True), x, PAPER)


def _other(name: str) -> Row:
    model, x = other_network(name)
    return measured(name, with_statistics(model, x, True), x, CALIBRATED)


TABLES = (
    Table(
        "Batch-norm statistics from one pass in train mode, torchvision's momentum",
        """
The momentum is 0.1 (mnasnet1_0: 0.0003), so the running statistics are nine tenths torchvision's initial mean 0 and
variance 1 and one tenth the images'. Activations keep their means, and the outputs of some networks (mobilenet_v2,
mnasnet1_0, shufflenet_v2_x1_0, googlenet) hardly differ between images: a mild test of the image-dependent part.
""",
        " | ".join(["network | size | populations (signed) | neurons", *ERRORS, "ratio | without code"]),
        tuple(CONVERTED),
        _converted(full=False),
        one_pass_line,
    ),
    Table(
        "Batch-norm statistics of the images in full",
        """
The harder test. A random network with these amplifies noise from layer to layer: each batch norm takes the mean out and
scales the rest up, noise with it. *Same noise in the ANN*: error of the ANN when every population's value is multiplied
by 1 + u, u uniform in ±(Q − 1)/(Q + 1), which is the rounding of the code without its two ends (values above the first
level and below the last). Errors of this size, above 5 % and not halving, are what the network makes of that noise.
""",
        f"network | {WITH_NOISE} | without code",
        tuple(CONVERTED),
        _converted(full=True),
        full_line,
    ),
    Table(
        "Volumes, several outputs, recurrent layers, segmentation, sequences",
        """
Batch-norm statistics of the inputs in full. All but `r3d_18` stand in `benchmarks/zoo_networks.py`: `yolo_style`, a
detector with SiLU and three heads, whose errors are over all outputs together; `unet`, with bilinear upsampling; `lstm`
and `gru`, a layer of 64 units over the 16 rows of an image; `bert_style`, three layers of `nn.TransformerEncoder`;
`gpt_style`, three blocks with a causal mask and scores at every token. Two clips, four images, or 16 images of rows and
sequences.
""",
        f"network | input | populations (signed) | neurons | {WITH_NOISE} | ratio | without code",
        tuple(OTHERS),
        _other,
        product_line,
    ),
    Table(
        "Gates, layer norm and attention",
        """
Networks whose layers multiply activations, on images of 64 × 64; batch norms have the statistics of the images in full.
By the paper's method the largest values, up to λ, are sent at the first level λ/Q. Values of 1/√v and 1/Σ have a λ per
neuron and lie near it: on average they are 2.5 % too small in convnext_tiny at base 1.06. The errors of networks with
layer norm are therefore up to three times those of the noise, and fall with the base all the same. `vit_b_16` has 17
tokens.
""",
        f"network | input | populations (signed) | neurons | {WITH_NOISE} | ratio | without code",
        tuple(GATED),
        _gated,
        product_line,
    ),
)


def document(lines: Mapping[str, Mapping[str, str]]) -> str:
    """The report as Markdown, from the rows of every table by the name of the network."""
    packages = ("torch", "torchvision", "numpy")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    sections = "\n".join(table.section(lines[table.title]) for table in TABLES)
    return f"""# torchvision networks as one-spike networks

Written by `python -m benchmarks.zoo` (Python {platform.python_version()}, {versions}).

Random weights as torchvision initialises them (seed {SEED}); {IMAGES} images of textured noise (seed {SEED}), 8-bit,
ImageNet normalisation. The same images calibrate λ, so that the figures hold coding errors and nothing else. Weights
are those of the ANN. The tables of torchvision's image classifiers are by the paper's method, λ being the largest
activation; the third table is by the calibrated one, with λ, sides and biases of its own.
Error: ‖SNN − ANN‖ / ‖ANN‖ over all outputs, float executor, full wait, 8-bit binary input. A coding error halves with
ln(base); a mapping error would stay. *Without code*: error of the same stages when values are passed on as they are,
which is the mapping alone (float32).

{sections}"""


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--networks",
        nargs="+",
        choices=[*CONVERTED, *OTHERS, *GATED],
        metavar="NAME",
        help="measure only these; the other rows of the report stay",
    )
    chosen = parser.parse_args().networks
    report = REPORT.read_text(encoding="utf-8") if REPORT.exists() else ""
    lines = {table.title: table.lines(report) for table in TABLES}
    for table, name in _asked(chosen):
        row = table.measure(name)
        lines[table.title][name] = table.line(row)
        print(f"{lines[table.title][name]} {row.seconds:.0f} s", flush=True)
        REPORT.write_text(document(lines), encoding="utf-8")
        gc.collect()


def _asked(chosen: list[str] | None) -> Iterator[tuple[Table, str]]:
    """The tables and their networks that are measured, with the head of each table printed before it."""
    for table in TABLES:
        names = [name for name in table.networks if chosen is None or name in chosen]
        if names:
            print(table.head)
        yield from ((table, name) for name in names)


if __name__ == "__main__":
    main()
