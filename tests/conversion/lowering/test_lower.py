"""What becomes a population, what becomes a synapse."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from loihi_onespike.conversion.lowering.lower import lower
from loihi_onespike.conversion.lowering.pool_last import pool_last
from loihi_onespike.core.graphs.stage import Stage, StageGraph
from loihi_onespike.core.maps import Conv, Dense, Diagonal, Pool
from loihi_onespike.errors import UnsupportedModelError
from loihi_onespike.frontend import trace
from tests.support.models import inputs, make, prepared


def stages_of(model: nn.Module) -> StageGraph:
    return lower(*pool_last(trace(prepared(model), inputs(2))))


def kinds(graph: StageGraph) -> list[str]:
    return [s.kind for s in graph.hidden]


def ops(stage: Stage) -> list[tuple[str, type]]:
    return [(link.pre, type(link.op)) for link in stage.links]


def test_a_chain_has_one_population_per_activation_and_pooling() -> None:
    graph = lower(*pool_last(trace(make("plain_cnn"), inputs(2))))
    assert kinds(graph) == ["relu", "max_pool", "relu"]
    assert [type(link.op) for link in graph.output.links] == [Dense]  # average pooling folded into the linear layer
    assert any("folded" in note for note in graph.rewrites)


def test_average_pooling_before_a_convolution_is_a_population_with_weights_of_one() -> None:
    graph = stages_of(nn.Sequential(nn.Conv2d(2, 3, 1), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(3, 2, 1), nn.ReLU(),
                                    nn.Flatten(), nn.Linear(32, 2)))  # fmt: skip
    assert kinds(graph) == ["relu", "average_pool", "relu"]
    pool = list(graph.hidden)[1]
    assert isinstance(pool.links[0].op, Pool) and float(pool.links[0].op.weight) == 1
    assert pool.links[0].scale.item() == 0.25


def test_average_pooling_before_a_large_linear_layer_is_not_folded() -> None:
    """Folding would multiply the weights by the 64 places of each window and more than that is refused."""
    model = nn.Sequential(nn.Conv2d(2, 2, 1), nn.ReLU(), nn.Upsample(scale_factor=2), nn.AdaptiveAvgPool2d(1),
                          nn.Flatten(), nn.Linear(2, 2000))  # fmt: skip
    assert "average_pool" not in kinds(stages_of(model))
    wide = nn.Sequential(nn.Conv2d(2, 2, 1), nn.ReLU(), nn.Upsample(scale_factor=4), nn.AdaptiveAvgPool2d(1),
                         nn.Flatten(), nn.Linear(2, 2000))  # fmt: skip
    graph = stages_of(wide)
    assert kinds(graph)[0] == "relu"


def test_batch_norm_goes_into_the_scale_of_the_link() -> None:
    model = prepared(nn.Sequential(nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(192, 2)))
    stage = next(lower(*pool_last(trace(model, inputs(2)))).hidden)
    norm = model[1]
    gain = (norm.weight / (norm.running_var + norm.eps).sqrt()).detach().numpy()
    assert np.allclose(stage.links[0].scale.ravel(), gain, rtol=1e-5)
    assert np.allclose(stage.links[0].op.weight, model[0].weight.detach().numpy())


def test_max_pooling_moves_behind_its_relu() -> None:
    graph = stages_of(nn.Sequential(nn.Conv2d(2, 3, 1), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(48, 2)))
    assert kinds(graph) == ["relu", "max_pool"]
    assert any("moved behind" in note for note in graph.rewrites)


def test_max_pooling_stays_before_a_batch_norm_that_turns_signs() -> None:
    model = nn.Sequential(
        nn.Conv2d(2, 3, 1), nn.MaxPool2d(2), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 2)
    )
    prepared(model)
    model[2].weight.data = torch.tensor([1.0, -1.0, 1.0])
    with pytest.raises(UnsupportedModelError, match="may be negative"):
        lower(*pool_last(trace(model, inputs(2))))


def test_a_shortcut_is_a_second_synapse_group() -> None:
    graph = lower(*pool_last(trace(make("residual"), inputs(2))))
    first, second, *_ = graph.hidden
    assert ops(second) == [(first.name, Conv), (first.name, Diagonal)]


def test_concatenation_makes_no_population() -> None:
    graph = lower(*pool_last(trace(make("branches"), inputs(2))))
    pooled = next(s for s in graph.hidden if s.kind == "max_pool")
    assert len(pooled.links) == 3
    assert {type(link.op) for link in pooled.links} == {Pool}


def test_two_linear_layers_in_a_row_are_one() -> None:
    graph = stages_of(nn.Sequential(nn.Flatten(), nn.Linear(128, 6), nn.ReLU(), nn.Linear(6, 5), nn.Linear(5, 3)))
    assert kinds(graph) == ["relu"]
    assert graph.output.shape == (3,)


def test_relu_of_relu_is_dropped() -> None:
    graph = stages_of(nn.Sequential(nn.Conv2d(2, 3, 1), nn.ReLU(), nn.ReLU(), nn.Flatten(), nn.Linear(192, 2)))
    assert kinds(graph) == ["relu"]
    assert any("dropped" in note for note in graph.rewrites)
