"""A model with samples and a model with a graph, as the steps of the conversion see them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from loihi_onespike.conversion import source
from loihi_onespike.conversion.lowering.lower import lower
from loihi_onespike.conversion.source import BatchSource, GraphSource
from tests.support.graph_models import TwoLayers, adjacency, with_seed

X = np.arange(140, dtype=np.float32).reshape(70, 2)


def model() -> nn.Module:
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)).eval()
    for parameter in net.parameters():
        nn.init.ones_(parameter)
    return net


def test_samples_and_what_the_model_computes_of_them() -> None:
    """Three neurons x0 + x1 + 1 each, and their sum plus 1."""
    x, output = BatchSource.of(model(), [X]).sample_and_output()
    assert x.tolist() == [[0.0, 1.0], [2.0, 3.0]]
    assert output.tolist() == [[3 * 2 + 1.0], [3 * 6 + 1.0]]


def test_images_for_the_head_room_follow_the_size_of_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    found = BatchSource.of(model(), [X[:40], X[40:]])
    stages = lower(found.graph, found.graph.rewrites)
    assert np.array_equal(found.headroom_sample(stages), X[:64])
    monkeypatch.setattr(source, "HEADROOM_NEURONS", 30)  # ten times the three neurons
    assert np.array_equal(found.headroom_sample(stages), X[:10])
    monkeypatch.setattr(source, "HEADROOM_NEURONS", 1)
    assert np.array_equal(found.headroom_sample(stages), X[:4])


def test_a_graph_is_its_one_sample() -> None:
    adj, features = adjacency(6), torch.rand(6, 5)
    found = GraphSource.of(with_seed(lambda: TwoLayers(5)), (adj, features))
    assert found.is_graph and found.batches == [found.sample] and found.sample.shape == (1, 6, 5)
    aggregated = (adj.to_dense() @ features).numpy()  # by the host, in front of the network
    np.testing.assert_allclose(found.sample[0], aggregated, rtol=1e-5)  # type: ignore[index]
    edges = int((adj.to_dense() != 0).sum())
    assert found.written_macs == 6 * 5 * 10 + edges * 10 + 6 * 10 * 3 + edges * 3
    assert found.sample_and_output()[1].shape == (1, 6, 3)
