"""Sums and means over the nodes of each graph of a batch: graph classification, and what of it is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import loihi_onespike as los
from loihi_onespike.errors import ConfigurationError, UnsupportedModelError
from tests.frontend.gnn import graph_layers
from tests.frontend.gnn.test_message_passing import arguments, check

BATCH = torch.arange(20) // 7  # three graphs, of 7, 7 and 6 nodes


class Classifier(nn.Module):
    def __init__(self, pool):
        super().__init__()
        self.conv, self.head = graph_layers.GraphConv(5, 8), nn.Sequential(nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 3))
        self.pool = pool

    def forward(self, x, edge_index, batch=None):
        return torch.log_softmax(self.head(self.pool(torch.relu(self.conv(x, edge_index)), batch)), dim=-1)


def batch_arguments():
    x, edges = arguments(False)
    same = BATCH[edges[0]] == BATCH[edges[1]]
    return x, edges[:, same], BATCH


def scattered(h, batch):
    """The sum as torch_geometric's `scatter` writes it."""
    index = batch.view(-1, 1).expand(h.shape)
    return h.new_zeros(3, h.shape[1]).scatter_add_(0, index, h)


def scattered_mean(h, batch):
    count = torch.zeros(3).scatter_add_(0, batch, torch.ones(len(h)))
    return scattered(h, batch) / count[:, None]


POOLS = {
    "scatter_add_": scattered,
    "mean": scattered_mean,
    "index_add": lambda h, batch: torch.zeros(3, h.shape[1]).index_add(0, batch, h),
    "scatter_reduce": lambda h, batch: h.new_zeros(3, 8).scatter_reduce(
        0, batch.view(-1, 1).expand(h.shape), h, "mean", include_self=False
    ),
}


@pytest.mark.parametrize("pool", POOLS.values(), ids=POOLS.keys())
def test_pooling_over_the_graphs_of_a_batch(pool):
    stages, _ = check(Classifier(pool), batch_arguments())
    assert stages.output.shape == (3, 3)


@pytest.mark.parametrize("name", ["mean", "sum"])
def test_pooling_of_one_graph(name):
    stages, _ = check(Classifier(lambda h, _: getattr(h, name)(0, keepdim=True)), arguments(False))
    assert stages.output.shape == (1, 3)


@pytest.mark.parametrize("name", ["global_add_pool", "global_mean_pool"])
def test_torch_geometric(name):
    package = pytest.importorskip("torch_geometric.nn")
    check(Classifier(getattr(package, name)), batch_arguments())
    check(Classifier(getattr(package, name)), arguments(False))


def test_a_batch_of_graphs_from_convert_to_file(tmp_path):
    x = batch_arguments()
    model = Classifier(scattered_mean).eval()
    net = los.convert(model, x, timesteps=16)
    found, expected = net.predict(x), model(*x).detach().numpy()
    assert found.shape == (3, 3) and np.abs(found - expected).max() < 0.2 * np.abs(expected).max()
    np.testing.assert_array_equal(net.predict(x, "reference"), found)
    loaded = los.load(net.save(tmp_path / "net.h5"))
    np.testing.assert_array_equal(loaded.predict(x), found)
    report = net.evaluate(x, torch.from_numpy(expected.argmax(1)))
    assert report.accuracy.total == 3 and report.ann_accuracy is not None and report.ann_accuracy.correct == 3
    with pytest.raises(ConfigurationError, match="another graph"):
        loaded.predict((x[0], x[1], x[2].clamp(max=1)))


REFUSED = {
    "largest": lambda h, batch: h.max(0, keepdim=True)[0],
    "largest of each": lambda h, batch: torch.zeros(3, 8).scatter_reduce(0, batch[:, None].expand(h.shape), h, "amax"),
    "without keepdim": lambda h, batch: h.mean(0),
    "into values": lambda h, batch: torch.ones(3, 8).index_add(0, batch, h),
}


@pytest.mark.parametrize("pool", REFUSED.values(), ids=REFUSED.keys())
def test_refusals(pool):
    with pytest.raises(UnsupportedModelError, match=r"(.|\n)*pool by sum or mean"):
        los.convert(Classifier(pool).eval(), batch_arguments())


def test_a_batch_of_another_length_is_refused():
    x, edges, batch = batch_arguments()
    with pytest.raises(ConfigurationError, match="graph of each of 20 nodes, got 19"):
        los.convert(Classifier(scattered).eval(), (x, edges, torch.rand(edges.shape[1]), batch[:19]))
