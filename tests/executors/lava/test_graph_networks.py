"""A graph network in Lava's fixed-point simulator equals the oracle, spike for spike."""

from __future__ import annotations

import pytest
import torch

import loihi_onespike as los
from loihi_onespike.core.trace import first_difference
from tests.support.graph_models import TwoLayers, adjacency, with_seed
from tests.support.lava_processes import forked


@forked
@pytest.mark.lava
@pytest.mark.parametrize("alone", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_lava_equals_the_oracle(alone):
    adj = adjacency(14)
    x = adj if alone else (adj, torch.rand(14, 5))
    net = los.convert(with_seed(lambda: TwoLayers(14 if alone else 5)), x, timesteps=6, wait=4)
    assert first_difference(net.trace(x, "lava"), net.trace(x, "reference")) is None
