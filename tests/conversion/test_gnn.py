"""The lowered graph computes what the model computes, in the order that spikes need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from loihi_onespike.conversion.pipeline import lowered_stages
from loihi_onespike.conversion.source import GraphSource
from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.core.graphs.stage import InputStage, Stage, StageGraph
from loihi_onespike.core.maps import Dense, Sparse
from loihi_onespike.executors.float.float_executor import FloatExecutor
from loihi_onespike.frontend.gnn.arguments import graph_arguments
from tests.support.graph_models import Deep, TwoLayers, adjacency, with_seed


def lowered(model: nn.Module, x: object) -> tuple[StageGraph, np.ndarray]:
    arguments = graph_arguments(x)
    source = GraphSource.of(model, x)
    stages = lowered_stages(source)
    found = FloatExecutor(stages, coded=False, dtype=torch.float64).run(source.sample)[0]
    with torch.no_grad():
        expected = model(*arguments.values).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())
    return stages, found


@pytest.mark.parametrize("product", [torch.matmul, torch.sparse.mm, torch.spmm, lambda a, x: a @ x])
@pytest.mark.parametrize("layout", ["csr", "coo"])
def test_products_with_the_adjacency(product, layout):
    adj = adjacency(20) if layout == "csr" else adjacency(20).to_sparse_coo()
    stages, _ = lowered(with_seed(lambda: TwoLayers(20, product=product)), adj)
    assert [type(s.links[0].op) for s in stages.stages if not isinstance(s, InputStage)] == [Dense, Sparse, Dense]


def test_aggregation_comes_first_and_carries_no_negative_value():
    stages, _ = lowered(with_seed(lambda: TwoLayers(5)), (adjacency(20), torch.randn(20, 5)))
    assert all(stage.nonnegative for stage in stages.hidden)
    assert len(stages.rewrites) == 3 and any("computed by the host" in line for line in stages.rewrites)


def test_three_layers_batch_norm_residual_and_concatenation():
    stages, _ = lowered(with_seed(lambda: Deep(6)), (torch.randn(20, 6), adjacency(20)))
    assert all(stage.nonnegative for stage in stages.hidden)


def test_input_is_sparse_for_one_hot_features():
    arguments = graph_arguments((adjacency(60, density=0.02), torch.eye(60)))
    source = GraphSource.of(with_seed(lambda: TwoLayers(60)), arguments.values)
    form, sample = source.form, source.sample
    assert isinstance(sample, SparseSample) and form.description == "A·X"


def test_two_aggregations_of_the_features_are_both_constants():
    class Simple(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc, self.out = nn.Linear(4, 6, bias=False), nn.Linear(6, 2)

        def forward(self, adj: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
            return self.out(torch.relu(adj @ (adj @ self.fc(x))))

    x = (adjacency(15), torch.randn(15, 4))
    form = GraphSource.of(with_seed(Simple), x).form
    assert form.hops == 2
    lowered(with_seed(Simple), x)


def test_biases_before_the_aggregation_are_aggregated():
    class Biased(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc, self.out = nn.Linear(4, 6), nn.Linear(6, 2)

        def forward(self, x: torch.Tensor, adj: torch.Tensor) -> torch.Tensor:
            return adj @ self.out(torch.relu(adj @ self.fc(x)))

    adj = adjacency(15) * 3.0  # rows do not add up to one
    stages, _ = lowered(with_seed(Biased), (torch.randn(15, 4), adj))
    hidden = stages.stages[1]
    assert isinstance(hidden, Stage) and hidden.bias.shape == (15, 6)


def test_macs_count_what_is_stored():
    from loihi_onespike import convert

    adj = adjacency(20)
    net = convert(with_seed(lambda: TwoLayers(20)), adj)
    facts: Mapping[str, Any] = net.network.facts
    counts = list(facts["ann_macs"].values())
    assert counts == [adj._nnz() * 10, adj._nnz() * 10, 20 * 10 * 3]
    assert facts["graph"]["ann_macs_as_written"] == adj._nnz() * 10 + 20 * 10 * 3 + adj._nnz() * 3
