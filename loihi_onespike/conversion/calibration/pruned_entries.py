"""Removal of weights that read a sparse input, as the adjacency of a graph, with errors that are measured.

Such an input has too many features for their covariances, so nothing compensates for a removed weight. Besides, its
error is the same at all nodes, and the weights that are small have signs in common: they all belong to words that say
little for a class. Aggregation adds such errors up, and a prediction from independent errors is wrong by orders of
magnitude. So the order of removal follows the prediction, w² · Var(x) · S_c over the spikes of x, and how many are
removed follows from the error at the output of the ANN that has lost them. What is left of a row is multiplied by the
regression of the whole sum on what is left, since all that is lost of it makes it smaller.
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

SHARES = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8)
"""Shares of the additions of a link that are tried to be removed."""
LARGEST_ERROR = 0.05
"""Squared error at the output, as a share of its variance, beyond which no more is tried."""
LARGEST_GAIN = 2.0
"""Largest factor on what is left of a row."""


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
    """Weights of one link with more and more removed.

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
    worth = weight**2 * variances * rows[:, None]
    order = np.argsort((worth / np.maximum(of_weight, 1e-300)).ravel(), kind="stable")
    spent = np.cumsum(of_weight.ravel()[order])
    alone = len(stage.links) == 1  # what is left of a row is scaled where nothing else is in its sums
    exact = _sums(FloatExecutor(graph, coded=False), key[0], x) if alone else None
    found = [PrunedEntries(None, Removed(0, weight.size, 0.0, 0.0))]
    for share in SHARES:
        count = int(np.searchsorted(spent, share * energy))
        kept = weight.copy()
        kept.ravel()[order[:count]] = 0.0
        shift = np.zeros(len(weight))
        if exact is not None:
            left = FloatExecutor(_with(graph, key, kept, shift), coded=False)
            kept, shift = _scaled(kept, exact, _sums(left, key[0], x))
        error = output.error(FloatExecutor(_with(graph, key, kept, shift), coded=False), x)
        if error > LARGEST_ERROR:
            break
        removed = Removed(count, weight.size, error, float(spent[count - 1]) if count else 0.0)
        found.append(PrunedEntries(kept, removed))
    return found


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
