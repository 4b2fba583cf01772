"""Errors at the output of a graph network, as measured."""

from __future__ import annotations

import pytest
import scipy.sparse as sp
import torch

from loihi_onespike.conversion.calibration.measured_output import MeasuredOutput
from loihi_onespike.conversion.pipeline import lowered_stages, source_of
from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.executors.float.float_executor import FloatExecutor
from tests.support.graph_models import TwoLayers, adjacency, with_seed

NODES = 30


def test_it_is_the_squared_difference_without_its_mean() -> None:
    model, adj = with_seed(lambda: TwoLayers(NODES)), adjacency(NODES)
    source = source_of(model, adj)
    graph, (x,) = lowered_stages(source), source.batches
    assert isinstance(x, SparseSample)
    ann = FloatExecutor(graph, coded=False)
    output = MeasuredOutput(graph, x)
    assert output.error(ann, x) == 0
    other = SparseSample(sp.csr_matrix(x.matrix * 1.5))
    sums: list[torch.Tensor] = []  # of the output, without what the host does with them
    for sample in (x, other):
        ann.run(sample, lambda stage, z: sums.append(z[0].double()) if stage is graph.output else None)
    exact, moved = sums
    error = moved - exact
    power = [float((values - values.mean(dim=0)).square().sum()) for values in (error, exact)]
    assert output.error(ann, other) == pytest.approx(power[0] / power[1], rel=1e-5)
