"""The activation that CONTRIBUTING.md shows, added by the code of that page: checked, converted and run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import tests.core.activations.test_activation as checks
from loihi_onespike import convert
from loihi_onespike.core import activations
from loihi_onespike.core.trace import first_difference
from loihi_onespike.executors.tensors.activation_functions import ACTIVATION_FUNCTIONS
from loihi_onespike.frontend.tracing.registry import OPERATIONS
from tests.support.contributing import ROOT, code_of


@pytest.fixture(scope="module")
def arctan() -> Iterator[type[activations.Activation]]:
    """The class of the page, with its entries registered as long as these tests run."""
    tables: list[dict[Any, Any]] = [OPERATIONS, ACTIVATION_FUNCTIONS._entries]
    state = [(table, dict(table)) for table in tables]
    listed, modules = activations.ACTIVATIONS, set(sys.modules)
    for path, code in code_of("Add an activation").items():
        name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        if (ROOT / path).exists():
            module = import_module(name)
        else:
            module = sys.modules[name] = ModuleType(name)
        exec(compile(code, path, "exec", dont_inherit=True), module.__dict__)
    yield activations.ACTIVATIONS[-1]
    activations.ACTIVATIONS = listed
    for table, before in state:
        table.clear()
        table.update(before)
    for name in set(sys.modules) - modules:
        if name.endswith(".arctan"):
            del sys.modules[name]


def test_the_list_of_the_page_is_the_list_of_the_product_and_one_more(arctan: type[activations.Activation]) -> None:
    assert arctan.name == "arctan"
    assert {c.name for c in activations.ACTIVATIONS} == {type(f).name for f in checks.FUNCTIONS} | {"arctan"}


@pytest.mark.parametrize(
    "check",
    [
        checks.test_never_falls_except_before_the_minimum_of_a_dip,
        checks.test_torch_computes_the_same_values,
        checks.test_threshold_is_the_smallest_z_that_reaches_the_value,
        checks.test_negative_threshold_is_the_largest_z_that_reaches_the_value,
        checks.test_values_beyond_the_range_have_infinite_thresholds,
        checks.test_claims_about_sign_zero_and_largest_value,
        checks.test_claim_of_homogeneity,
    ],
    ids=lambda check: check.__name__,
)
def test_it_passes_the_checks_of_every_activation(
    check: Callable[[activations.Activation], None], arctan: type[activations.Activation]
) -> None:
    check(arctan())


class Model(nn.Module):
    """Two layers with an arc tangent between them."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(8, 12), nn.Linear(12, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.atan(3 * self.first(x)))


def test_executors_agree_on_a_network_with_it(arctan: type[activations.Activation]) -> None:
    torch.manual_seed(0)
    model, x = Model().eval(), torch.rand(64, 8)
    network = convert(model, x, timesteps=16)
    assert any(p.kind == "arctan" for p in network.network.hidden)
    images = x[:8].numpy()
    expected = network.trace(images, executor="reference")
    assert first_difference(expected, network.trace(images, executor="fast")) is None
    with torch.no_grad():
        exact = model(x[:8]).numpy()
    assert float(np.abs(expected.output - exact).max()) < 0.15 * float(np.abs(exact).max())
