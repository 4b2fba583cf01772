"""Layers of torch_geometric: stand-ins under their names, and the real ones where the package is installed."""

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
from tests.frontend.gnn import graph_layers


def mlp(inputs, outputs):
    return nn.Sequential(nn.Linear(inputs, 7), nn.ReLU(), nn.Linear(7, outputs))


def gin(package, inputs, outputs, **options):
    return package.GINConv(mlp(inputs, outputs), **options)


class Net(nn.Module):
    def __init__(self, layer=graph_layers.GCNConv, weighted=True, **options):
        super().__init__()
        self.conv1, self.conv2, self.weighted = layer(5, 8, **options), layer(8, 3, **options), weighted

    def forward(self, x, edge_index, edge_weight=None):
        given = (edge_index, edge_weight) if self.weighted else (edge_index,)
        h = torch.relu(self.conv1(x, *given))
        return torch.log_softmax(self.conv2(h, *given), dim=1)


def arguments(weighted: bool) -> tuple[torch.Tensor, ...]:
    torch.manual_seed(0)
    places = torch.randperm(400)[:70]
    edges = torch.stack([places // 20, places % 20])
    edges[:, 0], edges[:, 1] = torch.tensor([4, 4]), torch.tensor([7, 7])  # loops that are there
    edges = edges.unique(dim=1)
    return (torch.randn(20, 5), edges, torch.rand(edges.shape[1])) if weighted else (torch.randn(20, 5), edges)


def check(model, x):
    """The stages compute what the model computes; gives the stages and the form of the input."""
    expected = model.eval()(*x).detach().numpy()
    source = GraphSource.of(model, x)
    stages = lowered_stages(source)
    found = FloatExecutor(stages, coded=False, dtype=torch.float64).run(source.sample)[0]
    np.testing.assert_allclose(found, expected, atol=2e-5)
    return stages, source.form


# By layer: options, and how often the host multiplies the features.
LAYERS = [
    *(
        ("GCNConv", o, 1)
        for o in ({}, {"improved": True}, {"normalize": False}, {"add_self_loops": False}, {"bias": False})
    ),
    *(("SAGEConv", o, 0) for o in ({}, {"aggr": "add"}, {"project": True}, {"bias": False})),
    ("SAGEConv", {"root_weight": False, "aggr": "add"}, 1),
    *(("GraphConv", o, 0) for o in ({}, {"aggr": "mean"})),
    *(("GINConv", o, 0) for o in ({}, {"eps": 0.5})),
    *(("TAGConv", o, 0) for o in ({}, {"K": 1, "normalize": False}, {"bias": False})),
    *(("SGConv", o, o.get("K", 1)) for o in ({}, {"K": 2}, {"add_self_loops": False}, {"K": 2, "cached": True})),
    *(("ChebConv", o, 0) for o in ({"K": 1}, {"K": 2}, {"K": 3}, {"K": 4, "bias": False})),
]
NAMES = [f"{name}-{options}" for name, options, _ in LAYERS]


def net(package, name, options):
    layer = getattr(package, name)
    if name == "GINConv":
        return Net(lambda *sizes, **rest: gin(package, *sizes, **rest), False, **options)
    return Net(layer, name != "SAGEConv", **options)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("name", "options", "hops"), LAYERS, ids=NAMES)
def test_stand_ins(name, options, hops, weighted):
    stages, form = check(net(graph_layers, name, options), arguments(weighted))
    known = not (weighted and name == "SAGEConv")  # which adds up edges without their weights
    assert form.hops == (hops if known else 0)
    assert name not in ("GCNConv", "SGConv") or all(stage.nonnegative for stage in stages.hidden)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("name", "options", "hops"), [*LAYERS, ("GCNConv", {"cached": True}, 1)])
def test_torch_geometric(name, options, hops, weighted):
    package = pytest.importorskip("torch_geometric.nn")
    check(net(package, name, options), arguments(weighted))


@pytest.mark.parametrize("layer", ["GraphConv", "GINConv"])
def test_a_converted_network_and_its_executors(layer):
    x = arguments(False)
    model = net(graph_layers, layer, {}).eval()
    converted = los.convert(model, x, timesteps=24, base=1.2)
    found, expected = converted.predict(x), model(*x).detach().numpy()
    np.testing.assert_array_equal(converted.predict(x, "reference"), found)
    assert np.abs(found - expected).max() < 0.1 * np.abs(expected).max()


def test_convert_predict_and_load(tmp_path):
    x = arguments(True)
    model = Net().eval()
    converted = los.convert(model, x, timesteps=24, base=1.2)
    assert np.abs(converted.predict(x) - model(*x).detach().numpy()).max() < 1.5
    loaded = los.load(converted.save(tmp_path / "net.h5"))
    np.testing.assert_array_equal(loaded.predict(x), converted.predict(x))
    order = torch.randperm(x[1].shape[1])
    shuffled = (x[0], x[1][:, order], x[2][order])
    np.testing.assert_array_equal(loaded.predict(shuffled), converted.predict(x))
    with pytest.raises(los.errors.ConfigurationError, match="another graph"):
        loaded.predict((x[0], x[1], x[2] * 1.5))


def test_edges_in_the_other_direction():
    model = Net()
    model.conv1.flow = model.conv2.flow = "target_to_source"
    model.conv1.normalize = model.conv2.normalize = False
    check(model, arguments(True))


REFUSED = {
    "max": (lambda: Net(graph_layers.SAGEConv, False, aggr="max"), "aggr=max"),
    "normalize": (lambda: Net(graph_layers.SAGEConv, False, normalize=True), "normalize=True"),
}


@pytest.mark.parametrize(("model", "found"), REFUSED.values(), ids=REFUSED.keys())
def test_refusals(model, found):
    with pytest.raises(UnsupportedModelError, match=found):
        los.convert(model().eval(), arguments(False))


def test_a_layer_of_another_name_is_refused():
    class GATConv(graph_layers.GraphConv):
        def forward(self, x, edge_index, edge_weight=None, size=None):
            return super().forward(x, edge_index) * 2

    GATConv.__module__ = "torch_geometric.nn.conv.gat_conv"
    with pytest.raises(UnsupportedModelError, match=r"GATConv(.|\n)*ChebConv of torch_geometric"):
        los.convert(Net(GATConv).eval(), arguments(False))


def test_edges_inside_the_model_are_refused():
    class Inside(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.edges = graph_layers.GCNConv(5, 8), arguments(False)[1] % 2

        def forward(self, features):
            return torch.relu(self.conv(features, self.edges))

    with pytest.raises(UnsupportedModelError, match="not called with a graph"):
        los.convert(Inside().eval(), arguments(False)[0])
