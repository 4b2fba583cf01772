"""The smallest change of a setting that halves an error, found by applying codes to sampled values."""

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
"""Times as many as there are are tried."""
IMAGES = 4
"""Images on which layers are run again."""


def samples(tally: Tally) -> Float:
    """(n,) |value| in units of λ of active values."""
    return np.concatenate(tally.samples).astype(np.float64) if tally.samples else np.zeros(0)


def underflow(code: SingleSpikeCode, values: Float) -> float:
    """Share of the values below the last threshold."""
    return _share(values < code.thresholds()[-1])


def timesteps_for_underflow(code: SingleSpikeCode, values: Float, wanted: float) -> int | None:
    """Smallest T at which no more than the share `wanted` underflows, the levels continued in their last ratio."""
    ratio, last = code.gains[-1] / 2**LEAK_SHIFT, float(code.thresholds()[-1])
    for timesteps in range(code.timesteps + 1, MOST_TIMESTEPS * code.timesteps + 1):
        if _share(values < last / ratio ** (timesteps - code.timesteps)) <= wanted:
            return timesteps
    return None


def base_for_underflow(code: SingleSpikeCode, values: Float, wanted: float) -> float | None:
    """Smallest larger base, in steps of 0.01, that does the same with as many timesteps; None for fitted levels."""
    if not isinstance(code, PhaseCode):
        return None
    top = code.base.value * code.levels()[0]  # λ, which the largest activation is
    for base in np.arange(np.ceil(100 * code.base.value + 1) / 100, 4.0, 0.01):
        shift = (1 + 1 / base) / 2 if code.threshold_shift else 1.0
        if _share(values < top * base**-code.timesteps * shift) <= wanted:
            return float(base)
    return None


def scale_for_underflow(code: SingleSpikeCode, values: Float, wanted: float) -> tuple[float | None, float]:
    """Factor of λ that does the same, and the share of the values that would then be clipped."""
    for factor in np.geomspace(0.97, 0.1, 75):
        if _share(values < factor * code.thresholds()[-1]) <= wanted:
            return float(factor), _share(values > factor * code.levels()[0])
    return None, 0.0


def scale_for_clipping(code: SingleSpikeCode, values: Float) -> float | None:
    """Factor of λ at which half as many values are clipped."""
    top = code.levels()[0]
    clipped = values[values > top]
    return float(np.median(clipped) / top) if len(clipped) else None


def timesteps_for_rounding(code: SingleSpikeCode, values: Float) -> int | None:
    """Smallest T at which the square of the rounding halves, the levels spread over the range that they have now."""
    levels = code.levels()
    inside = values[(values >= code.thresholds()[-1]) & (values <= levels[0])]
    if not len(inside) or len(levels) < 2:
        return None
    wanted = _rounding(levels, inside) / 2
    places = np.arange(len(levels))
    for timesteps in range(len(levels) + 1, MOST_TIMESTEPS * len(levels) + 1):
        spread = np.exp(np.interp(np.linspace(0, len(levels) - 1, timesteps), places, np.log(levels)))
        if _rounding(spread, inside) <= wanted:
            return timesteps
    return None


def _rounding(levels: Float, values: Float) -> float:
    rising = levels[::-1]
    nearest = rising[np.searchsorted((rising[1:] + rising[:-1]) / 2, values)]
    return float(np.mean((nearest - values) ** 2))


@torch.no_grad()
def wait_for_noise(layer: LayerModel, run: SwitchedRuns) -> int | None:
    """Smallest wait that leaves a tenth of the spikes that a whole input would not have sent so."""
    inputs = _few(layer, run)
    steps, own = layer.steps, layer.population.wait
    before = _otherwise(layer, inputs, own)
    for wait in range(own + 1, steps + 1):
        if wait >= steps - 1 or 10 * _otherwise(layer, inputs, wait) <= before:
            return wait
    return None


def _otherwise(layer: LayerModel, inputs: dict[str, SentValues], wait: int) -> int:
    decision = layer.decide(inputs, (), False, wait=wait)
    assert decision.phases is not None and decision.on_whole is not None
    return int((decision.phases != decision.on_whole).sum())


@torch.no_grad()
def bits_for_weights(layer: LayerModel, run: SwitchedRuns, bits: int) -> int:
    """Smallest width of the weights, up to 8, that leaves a tenth of the power of their rounding in z."""
    assert layer.weights is not None
    values = {pre: sent.values for pre, sent in _few(layer, run).items()}
    real = layer.weights.real(values)

    def noise(width: int) -> float:
        assert layer.weights is not None
        return float(((layer.weights.at_bits(width)(values) - real) ** 2).mean())

    before = noise(bits)
    return next((width for width in range(bits + 1, 8) if 10 * noise(width) <= before), 8)


@torch.no_grad()
def bits_of_v(layer: LayerModel, run: SwitchedRuns) -> int:
    """Width of the largest |v| without a limit, sign included, at the end of the window."""
    z = layer.decide(_few(layer, run), {Cause.HEADROOM, Cause.NOISE}, False).z
    largest = float((z.abs() * float(layer.gains[-1]) / layer.unit).max())
    return max(int(np.ceil(np.log2(max(largest, 1.0) / V_MAX))), 0) + V_BITS if largest > V_MAX else V_BITS


def coarseness(layer: LayerModel) -> float:
    """Largest factor by which weights are coarser than their width allows."""
    return layer.weights.coarseness if layer.weights is not None else 1.0


def _few(layer: LayerModel, run: SwitchedRuns) -> dict[str, SentValues]:
    return {pre: run.baseline[pre].first(IMAGES) for pre in layer.pres}


def _share(where: NDArray[np.bool_]) -> float:
    return float(where.mean()) if len(where) else 0.0
