"""Whole constructs: residuals, concatenation, shuffles, shared modules, in-place operations, names."""

from __future__ import annotations

import functools
import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from loihi_onespike.core.graphs.ann import Activate
from loihi_onespike.frontend import trace
from tests.frontend.models import (
    DenseBlock,
    Fire,
    Fn,
    Inception,
    PaddedShortcut,
    PreActivation,
    Residual,
    ShuffleUnit,
    assert_close,
    check,
    kinds,
    randomised,
    reference,
)
from tests.support.ann_eval import evaluate_torch

BLOCKS = {
    "residual": Residual(4, 4, 1),
    "strided_residual": Residual(4, 6, 2),
    "padded_shortcut": PaddedShortcut(4, 8),
    "pre_activation": PreActivation(4, False),
    "fire": Fire(4),
    "dense": DenseBlock(4, 2, 3),
    "shuffle": ShuffleUnit(4),
    "inception": Inception(4),
    "deep": nn.Sequential(Residual(4, 4, 1), Fire(4), nn.MaxPool2d(2), ShuffleUnit(8), Inception(8), nn.Flatten()),
}


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS.keys())
def test_blocks(block):
    check(block, torch.randn(2, 4, 6, 6))


def test_an_in_place_relu_changes_the_shortcut_too():
    graph = check(PreActivation(4, True), torch.randn(2, 4, 6, 6))
    assert "relu" in graph.output.inputs
    assert "bn" in check(PreActivation(4, False), torch.randn(2, 4, 6, 6)).output.inputs


def test_in_place_sums_change_every_name_of_the_tensor():
    def f(m, x):
        a = m.conv(x)
        b = a
        a += x
        return F.relu(b) + a

    check(Fn(f, conv=nn.Conv2d(4, 4, 1)), torch.randn(2, 4, 3, 3))


def test_in_place_on_the_input_is_seen_and_leaves_the_example_alone():
    x = torch.randn(2, 4)
    before = x.clone()
    check(Fn(lambda m, x: m.fc(x.relu_()) + x, fc=nn.Linear(4, 4)), x)
    assert torch.equal(x, before)


def test_a_module_used_several_times():
    relu, conv = nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1)
    graph = check(Fn(lambda m, x: m.relu(m.conv(m.relu(m.conv(x)))), relu=relu, conv=conv), torch.randn(2, 4, 5, 5))
    assert [node.name for node in graph.nodes] == ["input", "conv", "relu", "conv_1", "relu_1"]


def test_names_are_module_paths_and_stable():
    model = nn.Sequential(PaddedShortcut(4, 8), nn.Flatten(), nn.Linear(72, 3))
    graph = check(model, torch.randn(2, 4, 6, 6))
    names = ["input", "0.conv1", "0.bn1", "0.pad", "0.add", "0.relu", "1", "2"]
    assert [node.name for node in graph.nodes] == names
    assert [node.name for node in trace(model, torch.randn(2, 4, 6, 6)).nodes] == names
    assert graph.name == "Sequential"


def test_sources_are_lines_of_the_user():
    graph = check(PaddedShortcut(4, 8), torch.randn(2, 4, 6, 6))
    source = graph.by_name["pad"].source
    assert "models.py:" in source and "F.pad(x[:, :, ::2, ::2]" in source


def test_dead_branches_do_not_count():
    def f(m, x):
        m.aux(x)
        F.softsign(x)
        return F.relu(x)

    assert kinds(check(Fn(f, aux=nn.Conv2d(4, 2, 1)), torch.randn(2, 4, 3, 3))) == ["Input", "Activate"]


@pytest.mark.parametrize("wrap", [lambda y: (y,), lambda y: [y], lambda y: {"out": y, "aux": None}])
def test_a_container_with_one_tensor_is_that_tensor(wrap):
    check(Fn(lambda m, x: wrap(F.relu(x))), torch.randn(2, 3))


def test_subclasses_that_keep_forward_are_their_base_class():
    class Mine(nn.Conv2d):
        pass

    check(Mine(4, 2, 3), torch.randn(2, 4, 5, 5))


def test_subclasses_with_a_forward_of_their_own_are_traced_into():
    class Standardised(nn.Conv2d):
        def forward(self, x):
            w = (self.weight - self.weight.mean((1, 2, 3), keepdim=True)) / self.weight.std((1, 2, 3), keepdim=True)
            return self._conv_forward(x, w, self.bias)

    assert kinds(check(Standardised(4, 2, 3), torch.randn(2, 4, 5, 5))) == ["Input", "Linear"]


@torch.inference_mode()
def in_place_in_inference_mode(m: Any, x: torch.Tensor) -> torch.Tensor:
    y = m.conv1(x)
    z = F.relu(y, inplace=True)
    return m.layers[0](z) + y


USERS_PYTHON: dict[str, Callable[[Any, torch.Tensor], torch.Tensor]] = {
    "is_none": lambda m, x: F.relu(x) if x is not None and x != None else x,  # noqa: E711
    "hasattr": lambda m, x: F.relu(x) if hasattr(x, "shape") and not hasattr(x, "tensors") else x,
    "numpy_product": lambda m, x: x.view(-1, int(np.prod(x.size()[1:]))),
    "numel": lambda m, x: x.view(x.size()[0], x.shape[1:].numel()),
    "rows": lambda m, x: torch.stack([row.relu() for row in x.unbind(2)], 2),
    "layers": lambda m, x: functools.reduce(lambda y, layer: F.relu(layer(y)), m.layers, x),
    "by_name": lambda m, x: m.named["b"](getattr(m, f"conv{1}")(x)),
    "inference_mode": in_place_in_inference_mode,
    "type": lambda m, x: F.relu(x) if x.dtype == torch.float32 and x.device.type == "cpu" else x,
    "module_constant": lambda m, x: x * m.scale + m.table.weight[1].view(4, 1, 1),
    "unpacked": lambda m, x: m.conv1(x).view(*x.shape[:2], -1)[..., : x.shape[-1] // 2 + 1],
}


@pytest.mark.parametrize("f", USERS_PYTHON.values(), ids=USERS_PYTHON.keys())
def test_python_in_forward(f):
    layers = nn.ModuleList(nn.Conv2d(4, 4, 3, padding=1) for _ in range(2))
    named = nn.ModuleDict({"b": nn.BatchNorm2d(4)})
    model = Fn(f, layers=layers, named=named, conv1=nn.Conv2d(4, 4, 1), scale=0.5, table=nn.Embedding(3, 4))
    check(model, torch.randn(2, 4, 5, 6))


@pytest.mark.parametrize("norm", [nn.utils.weight_norm, nn.utils.parametrizations.weight_norm])
@pytest.mark.filterwarnings("ignore:torch.nn.utils.weight_norm is deprecated")
def test_weight_norm(norm):
    check(norm(nn.Linear(5, 3)), torch.randn(2, 5))


def test_graph_modules_and_compiled_models():
    model = nn.Sequential(nn.Linear(5, 3), nn.ReLU())
    graph = check(torch.fx.symbolic_trace(model), torch.randn(2, 5))
    assert kinds(graph) == ["Input", "Linear", "Activate"]
    compiled = torch.compile(model)
    assert isinstance(compiled, nn.Module)
    assert kinds(trace(compiled, torch.randn(2, 5))) == kinds(graph)
    assert kinds(trace(nn.DataParallel(model), torch.randn(2, 5))) == kinds(graph)


def test_observing_hooks_do_no_harm():
    model, seen = nn.Sequential(nn.Linear(5, 3), nn.ReLU()), []
    model[0].register_forward_hook(lambda m, i, o: seen.append(o.shape))
    check(model, torch.randn(2, 5))
    assert seen


def test_the_first_node_is_the_input():
    graph = trace(nn.Sequential(nn.ReLU()), torch.randn(2, 5, 4))
    assert graph.nodes[0].shape == (5, 4)
    assert isinstance(graph.output.op, Activate)


def shared_folder() -> Path:
    beside = Path(__file__).resolve().parents[2].parent / "shared"
    return Path(os.environ.get("ONESPIKE_SHARED", beside))


@pytest.mark.parametrize("name", ["cifar10_resnet20", "cifar10_vgg16_quarter"])
def test_published_networks(name):
    file = shared_folder() / "data" / name / "model.py"
    if not file.exists():
        pytest.skip("the shared data folder is not there")
    pytest.importorskip("PIL")
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model = randomised(module.load())
    x = torch.randn(2, 3, 32, 32)
    graph = trace(model, x)
    assert_close(evaluate_torch(graph, x.numpy()), reference(model, x))
    assert graph.output.shape == (10,)
