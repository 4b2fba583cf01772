"""Tracing leaves the model as it was, whatever its forward does."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import nn

from loihi_onespike.core.graphs.ann import Linear
from loihi_onespike.errors import UnsupportedModelError
from loihi_onespike.frontend import trace
from tests.frontend.models import Residual, check, randomised


class Busy(nn.Module):
    """Counts, caches, and writes into buffers and weights."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.gain = nn.Parameter(torch.ones(4))
        self.register_buffer("seen", torch.zeros(()))
        self.calls = 0
        self.kept: list[torch.Tensor] = []
        self.table: dict[Any, Any] = {}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        self.seen += 1
        self.fc.weight.data = self.fc.weight.data.clamp(-0.1, 0.1)
        self.gain.data.clamp_(-0.2, 0.2)
        y = self.fc(x) * self.gain
        self.last = y
        self.kept.append(y)
        self.table["y"] = y
        return torch.relu(y)


def state(model):
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def assert_unchanged(model, before, flags, attributes):
    after = model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert [module.training for module in model.modules()] == flags
    assert [set(module.__dict__) for module in model.modules()] == attributes
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_state_dict_hooks")
    assert not any(getattr(module, name) for module in model.modules() for name in hooks)
    assert all(parameter.requires_grad and parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("mode", ["training", "eval", "mixed"])
def test_state_mode_and_hooks(mode):
    model = randomised(nn.Sequential(Residual(3, 4, 2), nn.Dropout(), nn.Flatten(), nn.Linear(36, 2)))
    model.train(mode != "eval")
    if mode == "mixed":
        model[0].bn1.eval()
    before, flags = state(model), [module.training for module in model.modules()]
    attributes = [set(module.__dict__) for module in model.modules()]
    pointers = [parameter.data_ptr() for parameter in model.parameters()]
    check(model, torch.randn(4, 3, 6, 6))
    assert_unchanged(model, before, flags, attributes)
    assert pointers == [parameter.data_ptr() for parameter in model.parameters()]


def test_a_model_that_keeps_things():
    model = Busy()
    with torch.no_grad():
        model.fc.weight.fill_(0.5)
    attributes = [set(module.__dict__) for module in model.modules()]
    before, flags = state(model), [module.training for module in model.modules()]
    place = model.fc.weight.data_ptr()
    trace(model, torch.randn(2, 4))
    assert_unchanged(model, before, flags, attributes)
    assert model.fc.weight.data_ptr() == place
    assert (model.calls, model.kept, model.table) == (0, [], {})


@pytest.mark.parametrize("bad", [nn.Softsign(), nn.Bilinear(4, 4, 4)])
def test_after_an_error_too(bad):
    model = nn.Sequential(nn.BatchNorm1d(4), bad).train()
    before, flags = state(model), [module.training for module in model.modules()]
    attributes = [set(module.__dict__) for module in model.modules()]
    with pytest.raises(Exception):  # noqa: B017  (which one is not the point)
        trace(model, torch.randn(2, 4))
    assert_unchanged(model, before, flags, attributes)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_scripted_part_keeps_its_mode():
    model = nn.Sequential(nn.Linear(3, 3), torch.jit.script(nn.Dropout())).train()
    with pytest.raises(UnsupportedModelError):
        trace(model, torch.randn(2, 3))
    assert [module.training for module in model.modules()] == [True, True, True]


class Random(nn.Module):
    def forward(self, x):
        return x + 0 * torch.rand(1)


def test_the_random_state_stays():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    with pytest.raises(UnsupportedModelError):
        trace(nn.Sequential(Random(), nn.Softsign()), torch.ones(2, 3))
    assert torch.equal(torch.rand(1), expected)


def test_the_graph_does_not_follow_later_training():
    model = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
    graph = trace(model, torch.randn(2, 3))
    op = graph.nodes[1].op
    assert isinstance(op, Linear)
    weight = op.op.weight.copy()
    with torch.no_grad():
        model[0].weight.zero_()
    assert (op.op.weight == weight).all() and weight.any()


def test_a_traced_model_still_trains_and_copies():
    model = nn.Sequential(nn.Linear(3, 2), nn.ReLU()).train()
    trace(model, torch.randn(2, 3))
    copy.deepcopy(model)(torch.randn(2, 3)).sum().backward()
    model(torch.randn(2, 3)).sum().backward()
    assert model[0].weight.grad is not None
