"""The API on graphs: predict, evaluate with a mask, save and load, refusals."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch import nn

import loihi_onespike as los
from loihi_onespike.core.gnn import sparse_sample
from loihi_onespike.errors import CalibrationError, ConfigurationError, UnsupportedModelError
from tests.support.graph_models import TwoLayers, adjacency, with_seed


@pytest.fixture(scope="module")
def featured():
    x = (adjacency(20), torch.randn(20, 5, generator=torch.Generator().manual_seed(1)))
    return los.convert(with_seed(lambda: TwoLayers(5)), x, timesteps=12), x


@pytest.fixture(scope="module")
def plain():
    adj = adjacency(20)
    return los.convert(with_seed(lambda: TwoLayers(20)), adj, timesteps=12), adj


def test_save_and_load(featured, plain, tmp_path):
    for i, (net, x) in enumerate((featured, plain)):
        loaded = los.load(net.save(tmp_path / f"{i}.h5"))
        assert loaded.graph == net.graph
        np.testing.assert_array_equal(loaded.predict(x), net.predict(x))
        assert loaded.predict(x, "float").shape == (20, 3)


def test_other_layouts_of_the_same_graph(plain):
    net, adj = plain
    expected = net.predict(adj)
    rows = sp.csr_matrix((adj.values(), adj.col_indices(), adj.crow_indices()), adj.shape)
    for same in (adj.to_sparse_coo(), adj.to_sparse_csc(), rows):
        np.testing.assert_array_equal(net.predict(same), expected)


def test_other_features_are_fine_another_graph_is_not(featured):
    net, (adj, features) = featured
    other = net.predict((adj, features * 0.5))
    assert not np.array_equal(other, net.predict((adj, features)))
    for graph in (adjacency(20, seed=3), adj * 1.01, adjacency(21)):
        with pytest.raises(ConfigurationError, match="another graph"):
            net.predict((graph, torch.randn(graph.shape[0], 5)))
    with pytest.raises(ConfigurationError, match="as in the conversion, got features, adjacency"):
        net.predict((features, adj))
    with pytest.raises(ConfigurationError, match="shape"):
        net.predict((adj, torch.randn(20, 6)))


def test_evaluate_counts_masked_nodes(featured):
    net, x = featured
    labels = net.model(*x).argmax(1)
    mask = torch.arange(20) % 3 == 0
    report = net.evaluate(x, labels, mask=mask)
    chosen = net.predict(x).argmax(1)
    assert report.accuracy.total == 7
    assert report.accuracy.correct == int((chosen == labels.numpy())[mask.numpy()].sum())
    assert report.ann_accuracy.correct == 7 and report.agreement.correct == report.accuracy.correct
    assert 0 < report.hidden_spikes_per_neuron <= 1 and report.alpha_fp32 > 0
    assert net.evaluate(x, labels, "float").accuracy.total == 20
    with pytest.raises(ConfigurationError, match="mask"):
        net.evaluate(x, labels, mask=torch.ones(20))
    with pytest.raises(ConfigurationError, match="y: must have 20 labels, one per input, got 5"):
        net.evaluate(x, labels[:5])


@pytest.mark.parametrize(
    "x, found",
    [
        ((adjacency(20), adjacency(20)), "csr of shape"),
        ((adjacency(20), torch.randn(19, 5)), "features: must have a row for each of 20 nodes, got 19 rows"),
        ((torch.randn(20, 5), torch.tensor([[0, 25], [1, 2]])), r"edge_index: node numbers must be in \[0, 19\]"),
        (
            (torch.randn(20, 5), torch.tensor([[0, 2], [1, 2]]), torch.ones(3)),
            "must have 2 entries, one per edge, got 3",
        ),
        (torch.randn(4, 6).to_sparse_csr(), "adjacency: must have one row and one column per node, got shape"),
    ],
)
def test_arguments_that_are_no_graph(x, found):
    with pytest.raises(ConfigurationError, match=found):
        los.convert(with_seed(lambda: TwoLayers(5)), x)


class _Refused(nn.Module):
    def __init__(self, forward) -> None:
        super().__init__()
        self.fc, self._forward = nn.Linear(5, 6), forward

    def forward(self, adj: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return self._forward(self, adj, torch.relu(adj @ self.fc(x)))


REFUSED = {
    "attention": (lambda m, adj, h: torch.softmax(h @ h.t(), 1) @ h, "matmul"),
    "convolution over features": (lambda m, adj, h: nn.functional.avg_pool1d(h.unsqueeze(1), 2).flatten(1), "Pool"),
    "largest of the whole graph": (lambda m, adj, h: h.amax(0, keepdim=True), "amax"),
    "shuffled nodes": (lambda m, adj, h: h.flip(0), "flip"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_findings(case):
    forward, found = REFUSED[case]
    with pytest.raises(UnsupportedModelError, match=found):
        los.convert(with_seed(lambda: _Refused(forward)), (adjacency(20), torch.randn(20, 5)))


class _OnAdjacency(nn.Module):
    def __init__(self, prepare) -> None:
        super().__init__()
        self.inner, self.prepare = TwoLayers(20), prepare

    def forward(self, adj: torch.Tensor) -> torch.Tensor:
        return self.inner(self.prepare(adj))


@pytest.mark.parametrize("prepare", [lambda a: a.to_dense(), lambda a: a.t(), lambda a: a * 2.0])
def test_an_input_that_the_model_changes_is_refused(prepare):
    with pytest.raises(UnsupportedModelError, match="of the adjacency"):
        los.convert(_OnAdjacency(prepare).eval(), adjacency(20))


def test_several_adjacency_matrices_are_aggregations_of_their_own():
    class Two(TwoLayers):
        def forward(self, adj: torch.Tensor, x: torch.Tensor | None = None) -> torch.Tensor:
            assert x is not None
            h = torch.relu(adj @ (x @ self.w0))
            return (adj * adj) @ (h @ self.w1) if adj.layout == torch.strided else self.twice(adj) @ (h @ self.w1)

        def twice(self, adj):
            return torch.sparse_csr_tensor(adj.crow_indices(), adj.col_indices(), adj.values() * 2, adj.shape)

    x = (adjacency(20), torch.randn(20, 5))
    net = los.convert(with_seed(lambda: Two(5)), x)
    assert net.predict(x).shape == (20, 3)


def test_other_errors():
    with pytest.raises(CalibrationError, match="does not run"):
        los.convert(with_seed(lambda: TwoLayers(7)), (adjacency(20), torch.randn(20, 5)))
    with pytest.raises(CalibrationError, match="must contain a value other than zero"):
        los.convert(with_seed(lambda: TwoLayers(5)), (adjacency(20), torch.zeros(20, 5)))
    net = los.convert(nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)), torch.rand(8, 4))
    with pytest.raises(ConfigurationError, match="mask"):
        net.evaluate(torch.rand(8, 4), torch.zeros(8), mask=torch.ones(8, dtype=torch.bool))


def test_executors_of_dense_inputs_refuse_a_large_sparse_one(plain, monkeypatch):
    net, adj = plain
    monkeypatch.setattr(sparse_sample, "MAX_DENSE_ENTRIES", 399)
    with pytest.raises(ConfigurationError, match=r"executor 'reference' takes dense inputs.*20 nodes times 20"):
        net.trace(adj, "reference")
    assert net.predict(adj).shape == (20, 3)
