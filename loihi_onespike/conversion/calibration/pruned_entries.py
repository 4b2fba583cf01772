"""Removal of weights that read a sparse input, as the adjacency of a graph, with errors that are measured.

Such an input has too many features for their covariances, so nothing compensates for a removed weight. Besides, its
error is the same at all nodes, and the weights that are small have signs in common: they all belong to words that say
little for a class. Aggregation adds such errors up, and a prediction from independent errors is wrong by orders of
magnitude. So weights are removed in two ways, and the error of both is measured at the output of the ANN that has lost
them:

- *The smallest*, in the order of w² · Var(x) · S_c over the spikes of x. What is left of a row is multiplied by the
  regression of the whole sum on what is left, since all that is lost of it makes it smaller. This is best where errors
  are independent, as with few entries per node.
- *By chance*, without a mean error. A weight with |w| < t stays with the probability |w| / t and then becomes ±t, so
  that the errors of many small weights cancel in the sums. For a given number of additions, the sum of
  w² (t / |w| - 1) · Var(x) · S_c is least where t is proportional to √(spikes of x / (Var(x) · S_c)); t is at most the
  largest weight of the row, so that the integers of the others are as fine as before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.conversion.calibration.energy_terms import EnergyTerms
from loihi_onespike.conversion.calibration.measured_output import MeasuredOutput
from loihi_onespike.conversion.calibration.pruning import Removed
from loihi_onespike.conversion.calibration.sensitivity import Sensitivity
from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.core.graphs.stage import InputStage, Link, OutputStage, Stage, StageGraph
from loihi_onespike.core.maps import Dense
from loihi_onespike.executors.float.float_executor import FloatExecutor

Float = NDArray[np.float64]
Key = tuple[str, int]

SHARES = (0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
"""Shares of the additions of a link that are tried to be removed."""
LARGEST_ERROR = 0.05
"""Squared error at the output, as a share of its variance, beyond which no more is tried."""
LARGEST_GAIN = 2.0
"""Largest factor on what is left of a row."""
HALVINGS = 30
"""Steps of the search for the common factor of t."""
SEED = 0
"""Seed of the chance by which weights stay."""


@dataclass(frozen=True, eq=False)
class PrunedEntries:
    """Weights of a link with some removed.

    Attributes:
        weight: (O, features) weights; None where all stay as they are.
        removed: what this costs, with the energy that it saves for one spike of every stored entry.
    """

    weight: Float | None
    removed: Removed

    def cost(self, price: float) -> float:
        """Error and energy together, at a price of one spike for every stored entry."""
        return self.removed.error - price * self.removed.energy


def pruned_entries(
    graph: StageGraph, x: SparseSample, energy: EnergyTerms, sensitivity: Sensitivity
) -> dict[Key, list[PrunedEntries]]:
    """Weights with more and more of them removed, by stage and number of the link; the first of each has all.

    Args:
        graph: stages with the arithmetic of the ANN.
        x: the sample.
        energy: energy of the sample by its spikes.
        sensitivity: error at the output per squared error of the sums.
    """
    found: dict[Key, list[PrunedEntries]] = {}
    output: MeasuredOutput | None = None
    for stage in graph.stages:
        if isinstance(stage, InputStage) or (isinstance(stage, Stage) and stage.is_product):
            continue
        for i, link in enumerate(stage.links):
            key = stage.name, i
            rows = sensitivity.sums[stage.name]
            readable = link.pre == graph.input.name and isinstance(link.op, Dense) and link.index is None
            if readable and len(rows) == len(link.op.weight) and energy.per_link.get(key, 0.0) > 0:
                output = MeasuredOutput(graph, x) if output is None else output
                found[key] = _of_link(graph, x, key, energy.per_link[key], rows, output)
    return found


def _of_link(
    graph: StageGraph, x: SparseSample, key: Key, energy: float, rows: Float, output: MeasuredOutput
) -> list[PrunedEntries]:
    """Weights of one link with more and more removed, in the way of less error.

    Args:
        graph: stages with the arithmetic of the ANN.
        x: the sample.
        key: stage and number of the link.
        energy: energy of one spike of every stored entry over the link.
        rows: (O,) error at the output per squared error of the sums of a row.
        output: output of the ANN.
    """
    stage = graph.by_name[key[0]]
    assert isinstance(stage, Stage | OutputStage)
    weight = np.asarray(stage.links[key[1]].op.weight, np.float64)
    entries, variances = _statistics(x)
    of_weight = np.broadcast_to(energy / len(weight) * entries / max(entries.sum(), 1), weight.shape)
    worth = np.sqrt(variances * rows[:, None] / np.maximum(of_weight, 1e-300))
    alone = len(stage.links) == 1  # what is left of a row is scaled where nothing else is in its sums
    exact = _sums(FloatExecutor(graph, coded=False), key[0], x) if alone else None
    chance = np.random.default_rng(SEED).random(weight.shape)
    order = np.argsort((np.abs(weight) * worth).ravel(), kind="stable")
    spent = np.cumsum(of_weight.ravel()[order])

    def smallest(share: float) -> tuple[Float, Float]:
        kept = weight.copy()
        kept.ravel()[order[: np.searchsorted(spent, share * energy)]] = 0.0
        shift = np.zeros(len(weight))
        if exact is None:
            return kept, shift
        left = FloatExecutor(_with(graph, key, kept, shift), coded=False)
        return _scaled(kept, exact, _sums(left, key[0], x))

    def by_chance(share: float) -> tuple[Float, Float]:
        return _kept_by_chance(weight, worth, of_weight, share * energy, chance), np.zeros(len(weight))

    found: dict[float, PrunedEntries] = {0.0: PrunedEntries(None, Removed(0, weight.size, 0.0, 0.0))}
    for way in (smallest, by_chance):
        for share in SHARES:
            kept, shift = way(share)
            error = output.error(FloatExecutor(_with(graph, key, kept, shift), coded=False), x)
            if error > LARGEST_ERROR:
                break
            if share not in found or error < found[share].removed.error:
                gone = (kept == 0) & (weight != 0)
                removed = Removed(int(gone.sum()), weight.size, error, float(of_weight[gone].sum()))
                found[share] = PrunedEntries(kept, removed)
    return list(found.values())


def _kept_by_chance(weight: Float, worth: Float, of_weight: Float, saved: float, chance: Float) -> Float:
    """Weights |w| < t with the values 0 and ±t instead, of which as many stay as keep the mean.

    Args:
        weight: (O, features) weights.
        worth: square root of the error at the output per squared error of a weight and per energy, by weight.
        of_weight: energy of each weight.
        saved: energy that is to be saved, about.
        chance: numbers in [0, 1), by weight.
    """
    size, tiny = np.abs(weight), 1e-300
    most = size.max(axis=1, keepdims=True)

    def threshold(factor: float) -> Float:
        return np.maximum(np.minimum(factor / np.maximum(worth, tiny), most), tiny)

    low, high = 0.0, float((most * worth).max())
    for _ in range(HALVINGS):
        factor = (low + high) / 2
        if float((of_weight * (1 - np.minimum(size / threshold(factor), 1))).sum()) < saved:
            low = factor
        else:
            high = factor
    t = threshold(high)
    return np.where(chance * t < size, np.sign(weight) * np.maximum(size, t), 0.0)


def _statistics(x: SparseSample) -> tuple[Float, Float]:
    """Stored entries of each feature, and the variance of its values over the nodes, (features,) each."""
    nodes, features = x.matrix.shape
    data, at = x.matrix.data.astype(np.float64), x.matrix.indices
    means, squares = (np.bincount(at, values, features) / nodes for values in (data, data**2))
    return np.bincount(at, minlength=features).astype(np.float64), np.asarray(squares - means**2)


def _scaled(weight: Float, exact: torch.Tensor, left: torch.Tensor) -> tuple[Float, Float]:
    """Rows times the regression of the exact sums on what is left of them, and the shift (O,) that keeps their mean.

    Args:
        weight: (O, features) weights.
        exact, left: (1, nodes, O) sums with all weights and with these.
    """
    y, z = (sums.reshape(-1, sums.shape[-1]).double().numpy() for sums in (exact, left))
    mean_y, mean_z = y.mean(axis=0), z.mean(axis=0)
    products, squares = ((y - mean_y) * (z - mean_z)).sum(axis=0), ((z - mean_z) ** 2).sum(axis=0)
    gain: Float = np.clip(products / np.where(squares > 0, squares, 1.0), 1.0, LARGEST_GAIN)
    return weight * gain[:, None], np.asarray(mean_y - gain * mean_z)


def _with(graph: StageGraph, key: Key, weight: Float, shift: Float) -> StageGraph:
    """The graph with other weights of one link, and a shift (O,) of the sums of its stage."""
    stage = graph.by_name[key[0]]
    assert isinstance(stage, Stage | OutputStage)
    links: list[Link] = list(stage.links)
    links[key[1]] = replace(links[key[1]], op=links[key[1]].op.with_weight(weight))
    changed = replace(stage, links=tuple(links), bias=stage.bias + shift)
    return replace(graph, stages=tuple(changed if s is stage else s for s in graph.stages))


@torch.no_grad()
def _sums(ann: FloatExecutor, name: str, x: SparseSample) -> torch.Tensor:
    """Sums (1, nodes, O) of a stage that reads the input alone."""
    return ann.stage_input(name, {ann.graph.input.name: ann.input_value(x)})
