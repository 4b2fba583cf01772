"""Search for the smallest change of an option that reduces an error, on sampled values."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.analysis.diagnosis.causes import Cause
from loihi_onespike.analysis.diagnosis.measuring.batch_runs import SwitchedRuns
from loihi_onespike.analysis.diagnosis.measuring.statistics import Tally
from loihi_onespike.analysis.diagnosis.model.layer_model import LayerModel
from loihi_onespike.analysis.diagnosis.model.sent_values import SentValues
from loihi_onespike.core.codes import LEAK_SHIFT, V_BITS, V_MAX, PhaseCode, SingleSpikeCode

Float = NDArray[np.float64]

MOST_TIMESTEPS = 4
"""Largest number of timesteps that is tried, as a multiple of the present one."""
MOST_PAYLOAD = 4
"""Most bits of payload that are tried, as many as `convert` knows."""
IMAGES = 4
"""Images on which a layer is run again."""


def samples(tally: Tally) -> Float:
    """Sampled |value| (n,) of active values in units of λ."""
    return np.concatenate(tally.samples).astype(np.float64) if tally.samples else np.zeros(0)


def underflow(code: SingleSpikeCode, values: Float) -> float:
    """Share of the values (n,) below the last threshold."""
    return _share(values < code.thresholds()[-1])


def timesteps_for_underflow(code: SingleSpikeCode, values: Float, wanted: float) -> int | None:
    """Smallest T at which at most a share of the values underflows.

    Further levels follow the last one in the ratio of the last two.

    Args:
        code: the present code.
        values: |value| (n,) in units of λ.
        wanted: share that may underflow.

    Returns:
        T, or None where `MOST_TIMESTEPS` times the present T are not enough.
    """
    ratio, last = code.gains[-1] / 2**LEAK_SHIFT, float(code.thresholds()[-1])
    for timesteps in range(code.timesteps + 1, MOST_TIMESTEPS * code.timesteps + 1):
        if _share(values < last / ratio ** (timesteps - code.timesteps)) <= wanted:
            return timesteps
    return None


def base_for_underflow(code: SingleSpikeCode, values: Float, wanted: float) -> float | None:
    """Smallest larger base, in steps of 0.01, at which at most a share of the values underflows; T is kept.

    Args:
        code: the present code.
        values: |value| (n,) in units of λ.
        wanted: share that may underflow.

    Returns:
        The base, or None for fitted levels and where no base below 4 is large enough.
    """
    if not isinstance(code, PhaseCode):
        return None
    top = code.base.value * code.levels()[0]  # λ, which the largest activation is
    for base in np.arange(np.ceil(100 * code.base.value + 1) / 100, 4.0, 0.01):
        shift = (1 + 1 / base) / 2 if code.threshold_shift else 1.0
        if _share(values < top * base**-code.timesteps * shift) <= wanted:
            return float(base)
    return None


def scale_for_underflow(code: SingleSpikeCode, values: Float, wanted: float) -> tuple[float | None, float]:
    """Largest factor of λ at which at most a share of the values underflows.

    Args:
        code: the present code.
        values: |value| (n,) in units of λ.
        wanted: share that may underflow.

    Returns:
        The factor, or None where 0.1 is still too large, and the share of the values that would then be clipped.
    """
    for factor in np.geomspace(0.97, 0.1, 75):
        if _share(values < factor * code.thresholds()[-1]) <= wanted:
            return float(factor), _share(values > factor * code.levels()[0])
    return None, 0.0


def scale_for_clipping(code: SingleSpikeCode, values: Float) -> float | None:
    """Factor of λ at which half as many values are clipped; None where none is."""
    top = code.levels()[0]
    clipped = values[values > top]
    return float(np.median(clipped) / top) if len(clipped) else None


def timesteps_for_rounding(code: SingleSpikeCode, values: Float) -> int | None:
    """Smallest T at which the squared rounding error halves, with the levels spread over their present range."""
    for timesteps in range(code.timesteps + 1, MOST_TIMESTEPS * code.timesteps + 1):
        left = _rounding_left(code, values, timesteps * code.words_per_phase)
        if left is not None and left <= 0.5:
            return timesteps
    return None


def payload_for_rounding(code: SingleSpikeCode, values: Float) -> tuple[int, float] | None:
    """Fewest bits of payload at which the squared rounding error at least halves; T and the range are kept.

    Args:
        code: the present code.
        values: |value| (n,) in units of λ.

    Returns:
        The bits, and the share of the squared error that they leave; None where no number of bits is enough.
    """
    for bits in range(code.payload_bits + 1, MOST_PAYLOAD + 1):
        left = _rounding_left(code, values, code.timesteps * 2**bits)
        if left is not None and left <= 0.5:
            return bits, left
    return None


def _rounding_left(code: SingleSpikeCode, values: Float, count: int) -> float | None:
    """Share of the squared rounding error that is left with so many levels over the same range.

    None where no value lies between the levels.
    """
    levels = code.levels()
    inside = values[(values >= code.thresholds()[-1]) & (values <= levels[0])]
    if not len(inside) or len(levels) < 2:
        return None
    places = np.linspace(0, len(levels) - 1, count)
    spread = np.exp(np.interp(places, np.arange(len(levels)), np.log(levels)))
    return _rounding(spread, inside) / (_rounding(levels, inside) or 1.0)


def _rounding(levels: Float, values: Float) -> float:
    rising = levels[::-1]
    nearest = rising[np.searchsorted((rising[1:] + rising[:-1]) / 2, values)]
    return float(np.mean((nearest - values) ** 2))


@torch.no_grad()
def wait_for_noise(layer: LayerModel, run: SwitchedRuns) -> int | None:
    """Smallest wait that leaves a tenth of the decisions that differ from those on the whole input."""
    inputs = _first_images(layer, run)
    steps, own = layer.steps, layer.population.wait
    before = _changed_decisions(layer, inputs, own)
    for wait in range(own + 1, steps + 1):
        if wait >= steps - 1 or 10 * _changed_decisions(layer, inputs, wait) <= before:
            return wait
    return None


def _changed_decisions(layer: LayerModel, inputs: dict[str, SentValues], wait: int) -> int:
    decision = layer.decide(inputs, (), False, wait=wait)
    assert decision.words is not None and decision.on_whole is not None
    return int((decision.words != decision.on_whole).sum())


@torch.no_grad()
def bits_for_weights(layer: LayerModel, run: SwitchedRuns, bits: int) -> int:
    """Smallest width of the weights, up to 8 bits, that leaves a tenth of the power of their rounding error in z.

    Args:
        layer: the population.
        run: the batch that it is run on.
        bits: the present width.
    """
    assert layer.weights is not None
    values = {pre: sent.values for pre, sent in _first_images(layer, run).items()}
    real = layer.weights.real(values)

    def noise(width: int) -> float:
        assert layer.weights is not None
        return float(((layer.weights.at_bits(width)(values) - real) ** 2).mean())

    before = noise(bits)
    return next((width for width in range(bits + 1, 8) if 10 * noise(width) <= before), 8)


@torch.no_grad()
def bits_of_v(layer: LayerModel, run: SwitchedRuns) -> int:
    """Width in bits, sign included, that the largest |v| at the end of the window requires without a limit."""
    z = layer.decide(_first_images(layer, run), {Cause.HEADROOM, Cause.NOISE}, False).z
    largest = float((z.abs() * float(layer.gains[-1]) / layer.unit).max())
    return max(int(np.ceil(np.log2(max(largest, 1.0) / V_MAX))), 0) + V_BITS if largest > V_MAX else V_BITS


def coarseness(layer: LayerModel) -> float:
    """Largest factor by which the weights are coarser than their width allows; 1 for max pooling."""
    return layer.weights.coarseness if layer.weights is not None else 1.0


def _first_images(layer: LayerModel, run: SwitchedRuns) -> dict[str, SentValues]:
    return {pre: run.baseline[pre].first(IMAGES) for pre in layer.pres}


def _share(where: NDArray[np.bool_]) -> float:
    return float(where.mean()) if len(where) else 0.0
