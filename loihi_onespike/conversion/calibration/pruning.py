"""Removal of synapses whose additions cost more than they are worth at the output (pruning).

Spikes and synapses are two ways to spend the same energy, so both have one price (`allocation.py`). Onto a sum of
channel c, a synapse with weight w from an input x that sends r spikes per image is removed if

    S_c · w² · V < price · energy · r

where S_c is the error at the output per squared error of the sum (`sensitivity.py`), V the part of the variance of x
that the weights which are left cannot compensate for (`compensation.py`), and energy that of one spike in every place
that shares the weight. This is the saliency of optimal brain surgeon (Hassibi and Stork, NIPS 1992) with a price that
differs between weights: those from inputs that spike often, and onto many places, go first. The bias of the channel
takes over the mean of what was removed.

Weights that read a sparse input are another matter (`pruned_entries.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.conversion.calibration.energy_terms import EnergyTerms
from loihi_onespike.conversion.calibration.sensitivity import Sensitivity
from loihi_onespike.core.graphs.stage import Link, OutputStage, Stage
from loihi_onespike.core.maps import Shape

Float = NDArray[np.float64]

COMMON_ERROR = 1.5
"""Factor on the predicted error of removed synapses, which is the same weight in all places and not independent there.

On VGG-16 at quarter width the error that pruning added was 1.5 times the prediction without it, on ResNet-20 2.5 times
(1,000 calibration images that nothing was fitted to).
"""
LEAST_WEIGHT = 0.01
"""Smallest weight of the errors of a row, in parts of the mean over all rows of its stage.

A channel may look useless on the few samples that gradients are taken of.
"""


@dataclass(frozen=True)
class Removed:
    """Synapses of one link that were removed.

    Attributes:
        weights: number of weights that became 0, without those that are rounded to 0.
        of: number of weights.
        error: predicted error at the output that this adds.
        energy: energy of an image that this saves, in units of as many additions as the ANN has multiply-accumulates.
    """

    weights: int
    of: int
    error: float
    energy: float


@dataclass(frozen=True, eq=False)
class SynapsePrices:
    """What synapses cost and what they are worth.

    Attributes:
        price: price of as many additions as the ANN has multiply-accumulates, in units of the error at the output.
        energy: energy of an image by its spikes, in the same units as the price.
        sensitivity: error at the output per squared error of sums and weights.
        input_spikes: spikes per value of the input.
        payload_bits: bits of payload of the spikes of hidden stages, by stage; none where there is no entry.
    """

    price: float
    energy: EnergyTerms
    sensitivity: Sensitivity
    input_spikes: float
    payload_bits: Mapping[str, int] = field(default_factory=dict)

    def limits(self, stage: Stage | OutputStage, link: int, rates: Float) -> SynapseLimits | None:
        """What the synapses of a link are worth and cost; None where they cost nothing.

        Args:
            stage: stage whose sums are computed.
            link: number of the link.
            rates: spikes per sample of each input of the map.
        """
        key, weight, pre = (stage.name, link), stage.links[link].op.weight, stage.links[link].pre
        spent = self.energy.per_link.get(key, 0.0) * self.energy.with_payload(self.payload_bits.get(pre, 0))
        if self.price == 0 or spent == 0:
            return None
        rows = self.sensitivity.sums[stage.name]
        if len(rows) != len(weight):  # a row of the weights reaches places of all channels
            rows = np.full(len(weight), rows.sum() / len(weight))
        rows = COMMON_ERROR * np.maximum(rows, LEAST_WEIGHT * rows.mean())
        return SynapseLimits(self.price, rows, spent / weight.size * rates) if rows.all() else None


@dataclass(frozen=True, eq=False)
class SynapseLimits:
    """When a synapse of a link is removed.

    Attributes:
        price: price of energy in units of the error at the output.
        rows: (O,) error at the output per squared error that removed synapses add to the sums of a row.
        energy: energy of a weight from each input of the map.
    """

    price: float
    rows: Float
    energy: Float

    def errors(self, shape: Shape, unit: Float) -> Float:
        """Squared errors of sums below which weights (groups, rows, d) are removed, in units of the integer grid.

        Args:
            shape: (groups, rows, d).
            unit: what 1 is worth in the sum of the neuron, broadcastable to the weights of the map.
        """
        groups, rows, size = shape
        per_cost = 1 / (self.rows * unit.ravel() ** 2)
        return self.price * per_cost.reshape(groups, rows, 1) * over_taps(self.energy, groups, size)[:, None, :]

    def removed(self, gone: NDArray[np.bool_], added: Float, unit: Float) -> Removed:
        """What was removed.

        Args:
            gone: (groups, rows, d) whether a weight was removed.
            added: (groups, rows) squared errors that this adds to the sums, in units of the integer grid.
            unit: what 1 is worth in the sum of the neuron, broadcastable to the weights of the map.
        """
        groups, _, size = gone.shape
        error = float((added.ravel() * unit.ravel() ** 2 * self.rows).sum())
        energy = float((gone.sum(axis=1) * over_taps(self.energy, groups, size)).sum())
        return Removed(int(gone.sum()), gone.size, error, energy)


def over_taps(values: Float, groups: int, size: int) -> Float:
    """Values of the inputs of a map for each weight of a row, (groups, d): all taps of a channel have the same.

    Args:
        values: value of every input, or one for all.
        groups: groups of rows with the same inputs.
        size: d.
    """
    grouped = values.reshape(groups, -1) if values.size > 1 else np.broadcast_to(values.ravel(), (groups, 1))
    return np.repeat(grouped, size // grouped.shape[1], axis=1)


def spike_rates(link: Link, levels: torch.Tensor) -> Float:
    """Spikes per sample of each input of a link's map, the mean over places that share their weights.

    Args:
        link: the map with the gather in front of it.
        levels: (N, *shape) levels that the presynaptic population sends, 0 without a spike.
    """
    full = np.count_nonzero(levels.numpy(), axis=0) / len(levels)  # torch takes several times as long
    if link.index is not None:
        full = np.append(full.ravel(), 0.0)[link.index]
    return np.asarray(full.mean(axis=link.op.input_shared_axes(full.ndim))).ravel()
