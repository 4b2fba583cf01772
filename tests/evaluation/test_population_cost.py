"""Costs of populations against the totals of the evaluation and of a placement."""

from __future__ import annotations

import numpy as np
import pytest

import loihi_onespike as los
from loihi_onespike.boards.energy.activity import Activity
from loihi_onespike.boards.energy.estimate import estimate_board
from loihi_onespike.boards.mapping import map_network
from loihi_onespike.boards.specification import load_board
from loihi_onespike.evaluation.alpha import FP32
from tests.support.models import inputs, make


def test_costs_add_up_to_alpha_and_to_the_energy_of_a_placement() -> None:
    x, board = inputs(12), load_board("hala_point")
    net = los.convert(make("residual"), x, timesteps=4, payload_bits=2, objective="balanced", account="hala_point")
    found = net.evaluate(x, np.zeros(12, int), board="hala_point")
    assert [cost.name for cost in found.populations] == [p.name for p in net.network.populations]
    assert sum(cost.synaptic_operations for cost in found.populations) == pytest.approx(found.synaptic_operations)
    macs = sum(net.network.facts["ann_macs"].values())  # type: ignore[attr-defined]
    added = sum(cost.additions or 0.0 for cost in found.populations)
    assert FP32.mac_pj * macs / (FP32.add_pj * added) == pytest.approx(found.alpha_fp32)
    activity = Activity.of(net.network, net.trace(x).layers)
    account = estimate_board(net.network, map_network(net.network, board, activity.per_neuron()), activity).best_account
    assert account.synaptic.value is not None and account.updates.value is not None
    assert found.energy_nj is not None and account.dynamic.value is not None
    assert found.energy_nj > account.synaptic.value + account.updates.value
    assert found.energy_nj == pytest.approx(account.dynamic.value, rel=0.01)  # messages and hops are a small part
    assert found.energy_source == account.table


def test_without_a_board_there_is_no_energy() -> None:
    found = los.convert(make("mlp"), inputs(4), method="paper").evaluate(inputs(4), np.zeros(4, int))
    assert found.board is None and all(cost.energy_nj is None for cost in found.populations)
