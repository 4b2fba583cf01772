"""Spikes spent where they count: errors and spikes of all populations traded at one rate.

Errors of populations add up at the output, so the choice of a code is separable: with one price of energy in units of
the error at the output, every population takes the code of least error + price · energy (equal slope). The price itself
is the one at which error · energy^p is least, where p is the elasticity that the objective allows: at p = 2, 1 % less
energy may cost 2 % more squared error. Energy is counted in an account (`energy_terms.py`): the additions of α, or the
operations of a board.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.conversion.calibration.code_fit import ActivationValues
from loihi_onespike.conversion.calibration.codebooks import groups, payload_of, thinned
from loihi_onespike.conversion.calibration.energy_terms import EnergyTerms
from loihi_onespike.conversion.calibration.priced_fit import OutputCost, fit_priced, fit_priced_codebook
from loihi_onespike.conversion.calibration.sensitivity import output_sensitivity
from loihi_onespike.core.codes import SingleSpikeCode
from loihi_onespike.core.graphs.stage import StageGraph

Float = NDArray[np.float64]

CHANNELS = 16
"""Largest number of channels per population on which the price is chosen and the levels are fitted."""
VALUES = 1024
"""Largest number of values per channel for the same."""
PRICES = (0.0, 2.5e-3, 0.01, 0.04, 0.16)
"""Prices for which levels are fitted, of as many additions as the ANN has multiply-accumulates."""
FINER = (0.5, 0.65, 0.8, 1.0, 1.25, 1.6, 2.0)
"""Factors on the best of these prices that are tried with its levels."""
NOISE_DRAWS = 16
"""Random errors per output with which the loss of accuracy is estimated."""
UNSEEN = 1.5
"""Measured over predicted squared error: the rounding of weights, and errors that the first order leaves out.

Measured on ResNet-20 for CIFAR-10 at several prices: 1.4 to 1.6.
"""


@dataclass(frozen=True, eq=False)
class Allocation:
    """Codes and costs of all populations at one price.

    Attributes:
        codes: code of every hidden stage.
        costs: what errors and spikes cost, by stage; none for max pooling.
        price: price of as many additions as the ANN has multiply-accumulates, in units of the error.
        error: predicted squared error at the output, as a share of the variance of the outputs.
        energy: predicted energy of an image in the chosen account, in units of as many additions as the ANN has
            multiply-accumulates.
    """

    codes: Mapping[str, SingleSpikeCode]
    costs: Mapping[str, OutputCost]
    price: float
    error: float
    energy: float


def allocate(
    graph: StageGraph,
    values: Mapping[str, ActivationValues],
    x: Any,
    timesteps: int,
    payload_bits: int,
    energy: EnergyTerms,
    elasticity: float,
    max_loss: float | None = None,
    codes: Mapping[str, SingleSpikeCode] | None = None,
    done: Callable[[], None] = lambda: None,
) -> Allocation:
    """Codes of all hidden stages, with errors and spikes at the price that the elasticity gives.

    Args:
        graph: stages to plan.
        values: activations by stage; stages of max pooling are not among them.
        x: calibration inputs (N, *shape), or one sparse sample.
        timesteps: number of phases T.
        payload_bits: bits of payload of a spike.
        energy: energy of an image by its spikes, in the chosen account.
        elasticity: p.
        max_loss: largest estimated loss of accuracy in percentage points; None for no limit.
        codes: code of every hidden stage; None for levels that are fitted.
        done: called after every price that was tried.
    """
    weights, outputs = output_sensitivity(graph, x)
    channels = {name: thinned(v, CHANNELS) for name, v in values.items()}
    some = {name: v.of_channels(channels[name]).of_samples(VALUES) for name, v in values.items()}

    def at(price: float, codes: Mapping[str, SingleSpikeCode] | None) -> Allocation:
        costs = {name: OutputCost(weights[name], price * energy.per_spike[name]) for name in values}
        few = {name: cost.of_channels(channels[name]) for name, cost in costs.items()}
        found = _codebooks(graph, some, few, timesteps, payload_bits) if codes is None else codes
        fits = {name: fit_priced(some[name], few[name], found[name].levels()) for name in few}
        error = sum(fit.error for fit in fits.values())
        spent = energy.constant + sum(energy.per_spike[name] * fit.spikes for name, fit in fits.items())
        return Allocation(found, costs, price, error, spent)

    def better(best: Allocation | None, tried: Allocation) -> Allocation:
        if best is None:
            return tried
        allowed = max_loss is None or estimated_loss(outputs, tried.error) <= max_loss
        return tried if allowed and merit(tried, elasticity) < merit(best, elasticity) else best

    best: Allocation | None = None
    for price in PRICES:
        best = better(best, at(price, codes))
        done()
    assert best is not None
    start = best
    for factor in FINER if start.price > 0 else ():
        best = better(best, at(start.price * factor, start.codes))
    return best


def merit(allocation: Allocation, elasticity: float) -> float:
    """ln error + p · ln energy; less is better."""
    return float(np.log(max(allocation.error, 1e-12)) + elasticity * np.log(max(allocation.energy, 1e-6)))


def estimated_loss(outputs: Float, error: float, seed: int = 0) -> float:
    """Loss of accuracy in percentage points by a random error of the outputs, if the ANN's probabilities are right.

    Where the error changes the decision from class a to class b, the expected loss is the difference of their softmax
    probabilities. Classes are along the last axis of the outputs.

    Args:
        outputs: (N, …, classes) outputs of the ANN.
        error: squared error as a share of the variance of the outputs.
        seed: seed of the random errors.
    """
    y = outputs.reshape(-1, outputs.shape[-1])
    deviation = np.sqrt(UNSEEN * error * ((y - y.mean(axis=0)) ** 2).mean())
    raised = np.exp(y - y.max(axis=1, keepdims=True))
    probability = raised / raised.sum(axis=1, keepdims=True)
    rows, chance = np.arange(len(y)), np.random.default_rng(seed)
    kept = [
        probability[rows, (y + chance.normal(scale=deviation, size=y.shape)).argmax(axis=1)].mean()
        for _ in range(NOISE_DRAWS)
    ]
    return float(100 * (probability.max(axis=1).mean() - np.mean(kept)))


def _codebooks(
    graph: StageGraph,
    values: Mapping[str, ActivationValues],
    costs: Mapping[str, OutputCost],
    timesteps: int,
    payload_bits: int,
) -> dict[str, SingleSpikeCode]:
    codes: dict[str, SingleSpikeCode] = {}
    for group in groups(graph):
        members = [(values[stage.name], costs[stage.name]) for stage in group if stage.name in values]
        code = fit_priced_codebook(members, timesteps, payload_of(group, payload_bits))
        codes.update({stage.name: code for stage in group})
    return codes
