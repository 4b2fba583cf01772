"""Weights of a sparse input that are removed, with the error that this adds as measured."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import loihi_onespike as los
from loihi_onespike.conversion.calibration import Method
from loihi_onespike.conversion.calibration.energy_terms import alpha_terms
from loihi_onespike.conversion.calibration.pruned_entries import SHARES, _kept_by_chance, _scaled, pruned_entries
from loihi_onespike.conversion.calibration.sensitivity import output_sensitivity
from loihi_onespike.conversion.codes_of_options import EnoughBits
from loihi_onespike.conversion.pipeline import lowered_stages, source_of
from loihi_onespike.core.gnn.sparse_sample import SparseSample
from tests.support.facts import notes
from tests.support.graph_models import TwoLayers, adjacency, with_seed

NODES = 60


def _candidates() -> tuple[Any, SparseSample, dict[tuple[str, int], list[Any]]]:
    source = source_of(with_seed(lambda: TwoLayers(NODES)), adjacency(NODES))
    graph, (x,) = source.plan_input(lowered_stages(source), EnoughBits()), source.batches
    assert isinstance(x, SparseSample)
    return graph, x, pruned_entries(graph, x, alpha_terms(graph, x), output_sensitivity(graph, x))


def test_candidates_save_what_they_say_at_the_error_that_is_measured() -> None:
    graph, x, found = _candidates()
    ((key, tried),) = found.items()
    assert tried[0].weight is None and tried[0].removed.error == 0 and len(tried) > 3
    stage = graph.by_name[key[0]]
    entries = np.bincount(x.matrix.indices, minlength=NODES)
    every = alpha_terms(graph, x).per_link[key]
    weight = stage.links[0].op.weight
    for share, candidate in zip(SHARES, tried[1:], strict=False):
        gone = (candidate.weight == 0) & (weight != 0)
        assert candidate.removed.weights == gone.sum() and candidate.removed.of == gone.size
        saved = (gone * entries).sum() / (len(gone) * entries.sum())
        assert candidate.removed.energy == pytest.approx(every * saved)
        assert saved == pytest.approx(share, abs=0.05)
    errors = [candidate.removed.error for candidate in tried]
    assert errors[-1] > 10 * errors[1]


def test_the_smallest_weights_go_where_chance_costs_more() -> None:
    graph, _, found = _candidates()
    ((key, tried),) = found.items()
    weight = graph.by_name[key[0]].links[0].op.weight
    few = tried[1].weight
    ratio = np.nanmax(np.where(few == 0, np.nan, few / weight), axis=1)
    np.testing.assert_allclose(few, ratio[:, None] * np.where(few == 0, 0, weight), rtol=1e-6)


def test_weights_that_stay_by_chance_keep_their_mean() -> None:
    chance = np.random.default_rng(0)
    weight = np.abs(chance.normal(size=(4, 20_000))) * np.array([[1.0], [-1.0], [0.5], [2.0]])
    worth, of_weight = np.repeat([[1.0, 3.0]], 10_000, axis=1).reshape(1, -1), np.full(weight.shape, 1 / weight.size)
    for saved in (0.2, 0.5):
        kept = _kept_by_chance(weight, worth, of_weight, saved, chance.random(weight.shape))
        assert np.mean(kept == 0) == pytest.approx(saved, abs=0.01)
        np.testing.assert_allclose(kept.mean(axis=1), weight.mean(axis=1), rtol=0.03)
        assert np.all(np.abs(kept).max(axis=1) == np.abs(weight).max(axis=1))
        stay = kept == weight
        t = np.abs(np.where(stay | (kept == 0), np.nan, kept))  # 0 or t of its weight, which is one of each half
        halves = [np.nanmax(t[:, half]) for half in (slice(0, 10_000), slice(10_000, None))]
        assert (
            halves[0] == pytest.approx(3 * halves[1])
            and np.abs(weight[:, 10_000:])[stay[:, 10_000:]].min() >= halves[1]
        )


def test_what_is_left_is_brought_to_the_size_of_the_whole() -> None:
    exact = torch.tensor([[[0.0, 1.0], [3.0, 2.0], [6.0, 3.0]]])
    left = torch.tensor([[[1.0, 5.0], [3.0, 5.0], [5.0, 5.0]]])
    weight, shift = _scaled(np.array([[1.0, 2.0], [3.0, 4.0]]), exact, left)
    np.testing.assert_allclose(weight, [[1.5, 3.0], [3.0, 4.0]])  # a row that sends nothing keeps its weights
    np.testing.assert_allclose(shift, [3 - 1.5 * 3, 2 - 5])


def test_a_graph_network_loses_entries_of_its_weights_where_spikes_have_a_price() -> None:
    model, x = with_seed(lambda: TwoLayers(NODES)), adjacency(NODES)
    pruned = los.convert(model, x, timesteps=12, price=8.0)
    whole = los.convert(model, x, timesteps=12, price=8.0, method=Method(pruning=False))

    def zeros(net: los.OneSpikeNetwork) -> float:
        first = next(s for s in net.network.synapses if s.pre == net.network.input.name)
        return float(np.mean(first.op.weight_values == 0))

    assert zeros(pruned) > zeros(whole) + 0.1
    assert len(notes(pruned, "pruning")) == 1 and not notes(whole, "pruning")
