"""torch_geometric's GCNConv: a stand-in under its name, and the real one where it is installed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import loihi_onespike as los
from loihi_onespike.conversion.pipeline import lowered_stages
from loihi_onespike.conversion.source import GraphSource
from loihi_onespike.errors import UnsupportedModelError
from loihi_onespike.executors.float.float_executor import FloatExecutor


class GCNConv(nn.Module):
    """The published layer, written out: loops, D^-1/2 A D^-1/2, a product edge by edge, a bias."""

    def __init__(self, inputs, outputs, improved=False, add_self_loops=None, normalize=True, bias=True):
        super().__init__()
        self.improved, self.normalize, self.flow, self.aggr = improved, normalize, "source_to_target", "add"
        self.add_self_loops = normalize if add_self_loops is None else add_self_loops
        self.lin = nn.Linear(inputs, outputs, bias=False)
        self.bias = nn.Parameter(torch.randn(outputs)) if bias else None

    def forward(self, x, edge_index, edge_weight=None):
        source, target = edge_index
        weight = torch.ones(source.shape) if edge_weight is None else edge_weight
        if self.add_self_loops:
            loop = source == target
            own = torch.full((len(x),), 2.0 if self.improved else 1.0)
            own[source[loop]] = weight[loop]
            nodes = torch.arange(len(x))
            source, target = torch.cat([source[~loop], nodes]), torch.cat([target[~loop], nodes])
            weight = torch.cat([weight[~loop], own])
        if self.normalize:
            root = torch.zeros(len(x)).index_add(0, target, weight) ** -0.5
            root[root.isinf()] = 0
            weight = root[source] * weight * root[target]
        x = self.lin(x)
        out = torch.zeros(len(x), x.shape[1]).index_add(0, target, weight[:, None] * x[source])
        return out if self.bias is None else out + self.bias


GCNConv.__module__ = "torch_geometric.nn.conv.gcn_conv"
GCNConv.__qualname__ = "GCNConv"


class Net(nn.Module):
    def __init__(self, layer=GCNConv, **options):
        super().__init__()
        self.conv1, self.conv2 = layer(5, 8, **options), layer(8, 3, **options)

    def forward(self, x, edge_index, edge_weight=None):
        h = torch.relu(self.conv1(x, edge_index, edge_weight))
        return torch.log_softmax(self.conv2(h, edge_index, edge_weight), dim=1)


def arguments(weighted: bool) -> tuple[torch.Tensor, ...]:
    torch.manual_seed(0)
    places = torch.randperm(400)[:70]
    edges = torch.stack([places // 20, places % 20])
    edges[:, 0], edges[:, 1] = torch.tensor([4, 4]), torch.tensor([7, 7])  # loops that are there
    edges = edges.unique(dim=1)
    return (torch.randn(20, 5), edges, torch.rand(edges.shape[1])) if weighted else (torch.randn(20, 5), edges)


OPTIONS = [{}, {"improved": True}, {"normalize": False}, {"add_self_loops": False}, {"bias": False}]


def check(model, x):
    source = GraphSource.of(model.eval(), x)
    stages, form, sample = lowered_stages(source), source.form, source.sample
    found = FloatExecutor(stages, coded=False, dtype=torch.float64).run(sample)[0]
    np.testing.assert_allclose(found, model(*x).detach().numpy(), atol=2e-5)
    assert form.hops == 1 and all(stage.nonnegative for stage in stages.hidden)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_stand_in(options, weighted):
    check(Net(**options), arguments(weighted))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("options", [*OPTIONS, {"cached": True}], ids=str)
def test_torch_geometric(options, weighted):
    real = pytest.importorskip("torch_geometric.nn")
    check(Net(real.GCNConv, **options), arguments(weighted))


def test_convert_predict_and_load(tmp_path):
    x = arguments(True)
    model = Net().eval()
    net = los.convert(model, x, timesteps=24, base=1.2)
    assert np.abs(net.predict(x) - model(*x).detach().numpy()).max() < 1.5
    loaded = los.load(net.save(tmp_path / "net.h5"))
    np.testing.assert_array_equal(loaded.predict(x), net.predict(x))
    order = torch.randperm(x[1].shape[1])
    shuffled = (x[0], x[1][:, order], x[2][order])
    np.testing.assert_array_equal(loaded.predict(shuffled), net.predict(x))
    with pytest.raises(los.errors.ConfigurationError, match="another graph"):
        loaded.predict((x[0], x[1], x[2] * 1.5))


def test_refusals():
    x = arguments(False)
    model = Net()
    model.conv2.flow = "target_to_source"
    with pytest.raises(UnsupportedModelError, match="target_to_source"):
        los.convert(model.eval(), x)

    class Inside(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.edges = GCNConv(5, 8), x[1] % 2

        def forward(self, features):
            return torch.relu(self.conv(features, self.edges))

    with pytest.raises(UnsupportedModelError, match="not called with a graph"):
        los.convert(Inside().eval(), x[0])
