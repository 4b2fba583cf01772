"""Output error of a converted network against its ANN, on the inputs that calibrate it."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from loihi_onespike.conversion.method import Method
from loihi_onespike.conversion.pipeline import lowered_stages, planned_stages
from loihi_onespike.conversion.resolved_options import ResolvedOptions
from loihi_onespike.conversion.source import BatchSource
from loihi_onespike.core.graphs.stage import Stage
from loihi_onespike.data.batches import calibration_batches
from loihi_onespike.executors.float.float_executor import Disturbance, FloatExecutor
from loihi_onespike.frontend.ann_output import ann_output

SEED = 0
SETTINGS = ((96, 1.06), (192, 1.03))
"""(timesteps, base): the second has the same range of levels with half the distance between them."""
MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
PAPER = Method.paper()
CALIBRATED = Method(weights=False, rounding=False, compensation=False)
"""The calibrated method with the real weights of the ANN, so that none of them is fitted to a few inputs."""
STEP = 1 / 32
"""Distance of the values of features, which 8 bits carry."""


@dataclass(frozen=True)
class Row:
    """Figures of one converted network.

    Attributes:
        name: name of the network.
        shape: shape of an input.
        populations: number of hidden populations.
        signed: number of those with values of both signs.
        neurons: number of hidden neurons.
        errors: relative L2 error of the outputs, one for each of SETTINGS.
        noise: the same for the ANN with uniform noise instead of the rounding of the code.
        mapping: the same for the stages without any code.
        seconds: time of the measurement.
    """

    name: str
    shape: tuple[int, ...]
    populations: int
    signed: int
    neurons: int
    errors: tuple[float, ...]
    noise: tuple[float, ...]
    mapping: float
    seconds: float


def measured(name: str, model: nn.Module, x: NDArray[np.float32], method: Method, noise: bool = True) -> Row:
    """Convert one network and run it on the inputs that calibrate it, so that no value exceeds λ.

    Args:
        name: name of the network.
        model: the network, in eval mode.
        x: inputs (N, …).
        method: method of the conversion.
        noise: measure the ANN with noise too.
    """
    start = time.perf_counter()
    source = BatchSource.of(model, calibration_batches(x))
    expected = ann_output(model, x, source.graph.form)

    def error(found: NDArray[np.float64]) -> float:
        return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))

    lowered = lowered_stages(source)
    ann = FloatExecutor(lowered, coded=False)
    mapping = error(ann.run(x))
    noisy = [error(ann.run(x, disturb=rounding_noise(base))) for _, base in SETTINGS] if noise else []
    del ann
    errors = []
    for timesteps, base in SETTINGS:
        options = ResolvedOptions(timesteps=timesteps, base=base, objective="accuracy", method=method, payload_bits=0)
        stages = planned_stages(source, lowered, options)
        errors.append(error(FloatExecutor(stages).run(x)))
    hidden = list(lowered.hidden)
    return Row(
        name,
        x.shape[1:],
        len(hidden),
        sum(not stage.nonnegative for stage in hidden),
        sum(int(np.prod(stage.shape)) for stage in hidden),
        tuple(errors),
        tuple(noisy),
        mapping,
        time.perf_counter() - start,
    )


def rounding_noise(base: float) -> Disturbance:
    """Disturbance that multiplies every value by 1 + u, with u uniform within half the distance of two levels."""
    generator = torch.Generator().manual_seed(SEED)
    half = (base - 1) / (base + 1)

    def disturb(stage: Stage, value: torch.Tensor) -> torch.Tensor:
        if stage.kind == "max_pool":
            return value
        return value * (1 + half * (2 * torch.rand(value.shape, generator=generator) - 1))

    return disturb


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


def token_features(count: int, tokens: int, width: int) -> NDArray[np.float32]:
    """Normal features (count, tokens, width) in 8 bits, as a host would send embeddings.

    Args:
        count: number of sequences.
        tokens: number of tokens.
        width: features of a token.
    """
    generator = torch.Generator().manual_seed(SEED)
    values = torch.randn(count, tokens, width, generator=generator)
    whole: NDArray[np.float32] = (values / STEP).round().clamp(-127, 127).mul(STEP).numpy()
    return whole


def with_statistics(model: nn.Module, x: NDArray[np.float32], full: bool) -> nn.Module:
    """The network in eval mode, after one pass of `x` in train mode if it has batch norms.

    Args:
        model: the network.
        x: inputs.
        full: batch norms take the statistics of `x`, instead of updating their own with their momentum.
    """
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
