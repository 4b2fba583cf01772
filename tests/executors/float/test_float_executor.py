"""The float executor with everything folded into the weights equals the plain formula, stage by stage."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch import nn

import loihi_onespike as los
from loihi_onespike.core.codes import BinaryCode
from loihi_onespike.core.encoding import encode_values
from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.core.graphs.stage import InputPlan, InputStage, Link, OutputStage, Stage, StageGraph
from loihi_onespike.core.maps import Conv, Dense, Diagonal, LinearMap, Pool, Shape, Window
from loihi_onespike.core.maps.shapes import aligned
from loihi_onespike.executors.float.float_executor import FloatExecutor, level_of
from loihi_onespike.executors.float.quantizer import first_word
from loihi_onespike.executors.tensors.activation_functions import activate
from loihi_onespike.executors.tensors.stage_sum import gathered
from loihi_onespike.executors.tensors.tensor_maps import tensor_map

WINDOW = Window((3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1))


def maps(rng: np.random.Generator) -> dict[str, tuple[LinearMap, Shape]]:
    return {
        "conv": (Conv(rng.normal(size=(6, 4, 3, 3)), WINDOW), (4, 5, 6)),
        "groups": (Conv(rng.normal(size=(6, 2, 3, 3)), WINDOW, 2), (4, 5, 6)),
        "dense": (Dense(rng.normal(size=(3, 8))), (8,)),
        "diagonal": (Diagonal(rng.normal(size=(4, 1, 1))), (4, 5, 6)),
        "pool": (Pool(Window.plain((2, 2)), np.array(0.25)), (4, 5, 6)),
    }


@pytest.mark.parametrize("varied", ["number", "channel", "neuron"])
@pytest.mark.parametrize("name", maps(np.random.default_rng(0)))
def test_folding_changes_no_value(name: str, varied: str) -> None:
    """behind · op(in_front · x) = rest · op'(rest · x), whatever can be folded."""
    rng = np.random.default_rng(1)
    op, shape = maps(rng)[name]
    out = op.output_shape(shape)
    x = torch.from_numpy(rng.normal(size=(2, *shape)))

    def factor(of: Shape) -> np.ndarray:
        size = {"number": (1,) * len(of), "channel": (of[0], *(1,) * (len(of) - 1)), "neuron": of}[varied]
        return aligned(rng.uniform(0.5, 2, size), of)

    in_front, behind = factor(shape), factor(out)
    expected = tensor_map(op, None, torch.float64)(x * torch.from_numpy(in_front)) * torch.from_numpy(behind)
    new, before, after = op.folded(in_front, behind)
    if varied != "neuron" and name != "pool":
        assert before is None and after is None
    y = tensor_map(new, None, torch.float64)(x if before is None else x * torch.from_numpy(before))
    assert np.allclose(y if after is None else y * torch.from_numpy(after), expected, rtol=1e-12)


def test_factors_behind_a_gather_take_any_value_where_nothing_is_read() -> None:
    """Channels of zeros added by a shortcut do not spoil a factor per channel."""
    scale = np.array([2.0, 3.0]).reshape(2, 1, 1)
    index = np.full((4, 2, 2), -1)
    index[1:3] = np.arange(8).reshape(2, 2, 2)
    assert gathered(scale, (2, 2, 2), index).ravel().tolist() == [2.0, 2.0, 3.0, 2.0]
    assert gathered(scale, (2, 2, 2), None).shape == (2, 1, 1)
    assert aligned(np.full((3, 1), 1.5), (3, 4)).shape == (1, 1)


@pytest.mark.parametrize("coded", [False, True])
def test_executor_equals_the_plain_formula(coded: bool) -> None:
    """z = Σ scale · op(gather(value)) + bias, value = λ · level of the first threshold reached; also z as observed."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 6, 3), nn.ReLU(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(6, 3),
    )  # fmt: skip
    x = torch.rand(8, 2, 8, 8)
    graph = los.convert(model, x, timesteps=12, base=1.4, method="paper").stages
    executor = FloatExecutor(graph, coded, dtype=torch.float64)
    values: dict[str, torch.Tensor] = {graph.input.name: executor.input_value(x)}  # type: ignore[dict-item]
    seen: dict[str, torch.Tensor] = {}
    output = executor.run(x, lambda stage, z: seen.update({stage.name: z.clone()}))
    for stage in graph.stages[1:]:
        assert isinstance(stage, Stage | OutputStage)
        parts = [
            tensor_map(link.op, link.index, torch.float64)(values[link.pre]) * torch.from_numpy(np.asarray(link.scale))
            for link in stage.links
        ]
        if stage.kind == "max_pool":
            z = torch.nn.functional.max_pool2d(values[stage.links[0].pre], 2)
        else:
            z = sum(parts) + torch.from_numpy(np.asarray(stage.bias))
        assert torch.allclose(seen[stage.name], z, rtol=1e-9, atol=1e-12)
        assert torch.allclose(executor.stage_input(stage.name, values), z, rtol=1e-9, atol=1e-12)
        values[stage.name] = z
        if isinstance(stage, Stage) and stage.kind != "max_pool":
            plan = graph.plans[stage.name]
            phase = first_word(z / torch.from_numpy(np.asarray(plan.threshold)), plan.table, plan.negative)
            value = level_of(phase, plan.code, plan.scale, torch.float64)
            values[stage.name] = value if coded else activate(stage.activation, z)
    assert np.allclose(output, values[graph.output.name].numpy(), rtol=1e-9)


def test_a_dithered_input_has_the_values_of_its_words() -> None:
    matrix = sp.random(12, 9, 0.4, random_state=0, format="csr")
    plan = InputPlan(BinaryCode(2), np.linspace(0.5, 2.0, 9), np.zeros(()), dithered=True)
    link = Link("x", Dense(np.eye(9)), None, np.ones(()))
    stages = (InputStage("x", (12, 9)), OutputStage("y", (12, 9), (link,), np.zeros(())))
    executor = FloatExecutor(StageGraph("graph", stages, input_plan=plan), dtype=torch.float64)
    dense = matrix.toarray()[None]
    sent = plan.code.decode(encode_values(plan, dense)) * plan.scale
    assert not np.allclose(sent, dense)
    for x in (dense, SparseSample(matrix)):
        np.testing.assert_allclose(executor.run(x), sent, rtol=1e-12)
