"""Conversion of torchvision's networks and a few others: output error against the ANN.

    python -m benchmarks.zoo                             all networks; writes benchmarks/zoo.md
    python -m benchmarks.zoo --networks resnet18 vgg16   some networks; prints only

The base separates coding errors from errors of the conversion itself: with half of ln(base) over the same range (T
doubled), coding errors halve and the others stay. Weights are torchvision's random initialisation. Batch-norm
statistics come from the images in two ways: by one pass in train mode with torchvision's momentum, and as the full
statistics of the images.

With full statistics, a random network amplifies noise from layer to layer, since every batch norm removes the mean and
amplifies the rest. That table therefore also gives the error of the ANN when each of its activations gets uniform
noise of the size of the rounding of the code.
"""

from __future__ import annotations

import argparse
import gc
import importlib.metadata
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torchvision import models

from benchmarks.zoo_networks import RowSequence, YoloStyle
from loihi_onespike.conversion.options import ConversionOptions
from loihi_onespike.conversion.pipeline import lowered_stages, planned_stages
from loihi_onespike.conversion.source import BatchSource
from loihi_onespike.core.graphs.stage import OutputStage, Stage
from loihi_onespike.data.batches import calibration_batches
from loihi_onespike.executors.float.float_executor import FloatExecutor, Observer
from loihi_onespike.frontend.ann_output import ann_output

REPORT = Path(__file__).with_name("zoo.md")
SEED = 0
IMAGES = 4
SETTINGS = ((96, 1.06), (192, 1.03))
"""(timesteps, base): the second has the same range of levels with half the distance between them."""
MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])

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
OTHERS = ("r3d_18", "yolo_style", "lstm", "gru")
GATED = {
    "mobilenet_v3_small": 64,
    "mobilenet_v3_large": 64,
    "efficientnet_b0": 64,
    "convnext_tiny": 64,
    "vit_b_16": 64,
    "swin_t": 64,
}
"""Networks with products of activations: gates, layer norm, softmax."""


@dataclass(frozen=True)
class Row:
    """Figures of one converted network.

    Attributes:
        name: name in torchvision.
        size: height and width of the images.
        populations: number of hidden populations.
        signed: number of those with values of both signs.
        neurons: number of hidden neurons.
        errors: relative L2 error of the outputs, one for each of SETTINGS.
        noise: the same for the ANN with uniform noise instead of the rounding of the code.
        mapping: the same for the stages without any code.
        seconds: time of the measurement.
    """

    name: str
    size: int
    populations: int
    signed: int
    neurons: int
    errors: tuple[float, ...]
    noise: tuple[float, ...]
    mapping: float
    seconds: float


def textured_images(count: int, size: int, seed: int = SEED) -> NDArray[np.float32]:
    """Normalised 8-bit images (count, 3, size, size) of noise with several grain sizes, similar to natural images.

    Args:
        count: number of images.
        size: height and width.
        seed: seed of the noise.
    """
    generator = torch.Generator().manual_seed(seed)
    total = torch.zeros(count, 3, size, size)
    for grain in (1, 4, 16, 64):
        noise = torch.randn(count, 3, max(size // grain, 2), max(size // grain, 2), generator=generator)
        total += nn.functional.interpolate(noise, size=(size, size), mode="bilinear") * grain**0.5
    pixels = (total / total.std() * 0.22 + 0.45).clamp(0, 1).mul(255).round().numpy() / 255
    return ((pixels - MEAN[:, None, None]) / DEVIATION[:, None, None]).astype(np.float32)


def made(name: str, x: NDArray[np.float32], full: bool) -> nn.Module:
    """Network with random weights, in eval mode, after one pass of `x` in train mode.

    Args:
        name: name in torchvision.
        x: images (N, 3, size, size).
        full: batch norms take the statistics of `x`, instead of updating their own with torchvision's momentum.
    """
    torch.manual_seed(SEED)
    options: dict[str, object] = {}
    if name in ("googlenet", "inception_v3"):
        options = {"init_weights": True, "transform_input": False}
    elif name.startswith("vit_"):
        options = {"image_size": x.shape[-1]}
    model: nn.Module = models.get_model(name, weights=None, **options)
    norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    momenta = [m.momentum for m in norms]
    for norm in norms:
        norm.momentum = 1.0 if full else norm.momentum
    if norms:
        with torch.no_grad():
            model.train()(torch.from_numpy(x))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    return model.eval()


def measured(name: str, size: int, full: bool) -> Row:
    """Convert and run one network on the images that calibrate it, so that no value exceeds λ.

    Args:
        name: name in torchvision.
        size: height and width of the images.
        full: batch norms take the full statistics of the images.
    """
    start = time.perf_counter()
    x = textured_images(IMAGES, size)
    model = made(name, x, full)
    expected = ann_output(model, x)

    def error(found: NDArray[np.float64]) -> float:
        return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))

    source = BatchSource.of(model, calibration_batches(x))
    lowered = lowered_stages(source)
    errors, noise = [], []
    for timesteps, base in SETTINGS:
        stages = planned_stages(source, _options(timesteps, base))
        errors.append(error(FloatExecutor(stages).run(x)))
        if full:
            noise.append(error(FloatExecutor(lowered, coded=False).run(x, _rounding_noise(base))))
    mapping = error(FloatExecutor(lowered, coded=False).run(x))
    hidden = list(stages.hidden)
    neurons = sum(int(np.prod(stage.shape)) for stage in hidden)
    signed = sum(not stage.nonnegative for stage in hidden)
    return Row(
        name, size, len(hidden), signed, neurons, tuple(errors), tuple(noise), mapping, time.perf_counter() - start
    )


def _options(timesteps: int, base: float) -> ConversionOptions:
    """Options of a measurement: codes of a base, which no price of spikes makes coarser."""
    return ConversionOptions(timesteps=timesteps, base=base, objective="accuracy")


def other_networks() -> dict[str, tuple[Callable[[], nn.Module], NDArray[np.float32]]]:
    """Networks of other kinds than image classifiers, with their inputs, by name."""
    clips = np.stack([textured_images(IMAGES, 32, SEED + i) for i in range(2)]).transpose(0, 2, 1, 3, 4)
    rows = textured_images(16, 16)
    return {
        "r3d_18": (lambda: models.video.r3d_18(weights=None), np.ascontiguousarray(clips)),
        "yolo_style": (YoloStyle, textured_images(IMAGES, 64)),
        "lstm": (lambda: RowSequence(nn.LSTM, 48), rows),
        "gru": (lambda: RowSequence(nn.GRU, 48), rows),
    }


def measured_other(name: str) -> str:
    """Line of the table of other networks: batch norms have the full statistics of the inputs, which calibrate too."""
    make, x = other_networks()[name]
    torch.manual_seed(SEED)
    model = make()
    norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.momentum = 1.0
    if norms:
        with torch.no_grad():
            model.train()(torch.from_numpy(x))
    source = BatchSource.of(model.eval(), calibration_batches(x))
    expected = ann_output(model, x, source.graph.form)
    mapped = FloatExecutor(lowered_stages(source), coded=False).run(x)
    planned = [planned_stages(source, _options(*setting)) for setting in SETTINGS]
    found = [FloatExecutor(stages).run(x) for stages in planned]
    first, second, mapping = (float(np.linalg.norm(y - expected) / np.linalg.norm(expected)) for y in (*found, mapped))
    hidden = list(planned[0].hidden)
    neurons, outputs = sum(int(np.prod(stage.shape)) for stage in hidden), len(planned[0].outputs)
    size = " × ".join(map(str, x.shape[1:]))
    return (
        f"| {name} | {size} | {len(hidden)} | {neurons:,} | {outputs} | {first:.2%} | {second:.2%} "
        f"| {second / first:.2f} | {mapping:.0e} |"
    )


def _rounding_noise(base: float) -> Observer:
    """Observer that multiplies every pre-activation by 1 + u, with u uniform within half the distance of two levels."""
    generator = torch.Generator().manual_seed(SEED)
    half = (base - 1) / (base + 1)

    def disturb(stage: Stage | OutputStage, z: torch.Tensor) -> None:
        if isinstance(stage, Stage) and stage.kind != "max_pool":
            z *= 1 + half * (2 * torch.rand(z.shape, generator=generator) - 1)

    return disturb


ONE_PASS = "network | size | populations (signed) | neurons | T=96, base 1.06 | T=192, base 1.03 | ratio | without code"
OTHER = "network | input | populations | neurons | outputs | T=96, base 1.06 | T=192, base 1.03 | ratio | without code"
FULL = "network | T=96, base 1.06 | same noise in the ANN | T=192, base 1.03 | same noise in the ANN | without code"


def head(titles: str) -> str:
    """Head of a Markdown table."""
    return f"| {titles} |\n|{'---|' * (titles.count('|') + 1)}"


def one_pass_line(row: Row) -> str:
    """Line of the table with statistics from one pass."""
    first, second = row.errors
    return (
        f"| {row.name} | {row.size} | {row.populations} ({row.signed}) | {row.neurons:,} | {first:.2%} | {second:.2%} "
        f"| {second / first:.2f} | {row.mapping:.0e} |"
    )


def full_line(row: Row) -> str:
    """Line of the table with full statistics."""
    pairs = " | ".join(f"{error:.2%} | {noise:.2%}" for error, noise in zip(row.errors, row.noise, strict=True))
    return f"| {row.name} | {pairs} | {row.mapping:.0e} |"


OTHER_TEXT = """## Volumes, several outputs, recurrent layers

Batch-norm statistics of the inputs in full. `yolo_style` and the recurrent networks stand in
`benchmarks/zoo_networks.py`: a detector with SiLU and three heads, and a layer of 64 units over the 16 rows of an
image. Errors are over all outputs together. With the same noise in the ANN as in the table before, the errors of
`yolo_style` are 34 % and 18 %.
"""


GATED_TEXT = """## Gates, layer norm and attention

Networks whose layers multiply activations, on images of 64 × 64; batch norms have the statistics of the images in full.
"""


def document(one_pass: Sequence[str], full: Sequence[str], other: Sequence[str], gated: Sequence[str]) -> str:
    """The report as Markdown.

    Args:
        one_pass: lines of the table with statistics from one pass.
        full: lines of the table with full statistics.
        other: lines of the table of other networks.
        gated: lines of the table of networks with products of activations.
    """
    packages = ("torch", "torchvision", "numpy")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    return f"""# torchvision networks as one-spike networks

Written by `python -m benchmarks.zoo` (Python {platform.python_version()}, {versions}).

Random weights as torchvision initialises them (seed {SEED}); {IMAGES} images of textured noise (seed {SEED}), 8-bit,
ImageNet normalisation. The same images calibrate λ, so that the figures hold coding errors and nothing else.
Error: ‖SNN − ANN‖ / ‖ANN‖ over all outputs, float executor, full wait, 8-bit binary input. A coding error halves with
ln(base); a mapping error would stay. *Without code*: error of the same stages when values are passed on as they are,
which is the mapping alone (float32).

## Batch-norm statistics from one pass in train mode, torchvision's momentum

The momentum is 0.1 (mnasnet1_0: 0.0003), so the running statistics are nine tenths torchvision's initial mean 0 and
variance 1 and one tenth the images'. Activations keep their means, and the outputs of some networks (mobilenet_v2,
mnasnet1_0, shufflenet_v2_x1_0, googlenet) hardly differ between images: a mild test of the image-dependent part.

{head(ONE_PASS)}
{chr(10).join(one_pass)}

## Batch-norm statistics of the images in full

The harder test. A random network with these amplifies noise from layer to layer: each batch norm takes the mean out and
scales the rest up, noise with it. *Same noise in the ANN*: error of the ANN when every population's value is multiplied
by 1 + u, u uniform in ±(Q − 1)/(Q + 1), which is the rounding of the code without its two ends (values above the first
level and below the last). Errors of this size, above 5 % and not halving, are what the network makes of that noise.

{head(FULL)}
{chr(10).join(full)}

{OTHER_TEXT}
{head(OTHER)}
{chr(10).join(other)}

{GATED_TEXT}
{head(FULL)}
{chr(10).join(gated)}
"""


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--networks",
        nargs="+",
        choices=[*CONVERTED, *OTHERS, *GATED],
        metavar="NAME",
        help="measure only these and write no report",
    )
    chosen = parser.parse_args().networks
    tables: dict[bool, list[str]] = {}
    for full, titles, line in ((False, ONE_PASS, one_pass_line), (True, FULL, full_line)):
        print(head(titles))
        tables[full] = []
        for name, size in CONVERTED.items():
            if chosen is None or name in chosen:
                row = measured(name, size, full)
                tables[full].append(line(row))
                print(f"{tables[full][-1]} {row.seconds:.0f} s", flush=True)
                gc.collect()
    other = []
    print(head(OTHER))
    for name in OTHERS:
        if chosen is None or name in chosen:
            other.append(measured_other(name))
            print(other[-1], flush=True)
            gc.collect()
    gated = []
    print(head(FULL))
    for name, size in GATED.items():
        if chosen is None or name in chosen:
            row = measured(name, size, True)
            gated.append(full_line(row))
            print(f"{gated[-1]} {row.seconds:.0f} s", flush=True)
            gc.collect()
    if chosen is None:
        REPORT.write_text(document(tables[False], tables[True], other, gated), encoding="utf-8")
        print(f"written: {REPORT}")


if __name__ == "__main__":
    main()
