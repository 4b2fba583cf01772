"""Updates against the loads of cores, and energy by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loihi_onespike.boards.energy.activity import Activity
from loihi_onespike.boards.energy.estimate import estimate_board
from loihi_onespike.boards.energy.operation_prices import operation_prices
from loihi_onespike.boards.mapping import map_network
from loihi_onespike.boards.specification import load_board
from loihi_onespike.boards.specification.spec import Quantity
from loihi_onespike.core.operation_prices import OperationPrices, neuron_updates
from loihi_onespike.executors import reference
from tests.strategies import random_case


def test_energy_by_hand() -> None:
    prices = OperationPrices("a board", "a table", 20.0, 8.0, 5.0, 2.0)
    assert prices.energy_nj(100, 30, 10, 7) == pytest.approx((2000 + 240 + 50 + 14) / 1000)


@pytest.mark.parametrize("seed", [3, 11])
def test_updates_and_their_energy_are_those_of_a_placement(seed: int) -> None:
    network, codes = random_case(seed)
    counted = Activity.of(network, reference.run(network, codes).layers)
    board = load_board("hala_point")
    estimate = estimate_board(network, map_network(network, board, counted.per_neuron()), counted)
    active, inactive = (sum(part) for part in zip(*neuron_updates(network).values(), strict=True))
    assert (active, inactive) == (estimate.work.active_updates, estimate.work.inactive_updates)
    prices, account = operation_prices(board), estimate.best_account
    work = estimate.work
    assert prices.source == account.table
    assert account.synaptic.value is not None and account.updates.value is not None
    assert prices.energy_nj(work.synaptic_operations, active, inactive, 0) == pytest.approx(
        account.synaptic.value + account.updates.value
    )


@pytest.mark.parametrize(
    ("name", "sends"),
    [("hala_point", True), ("nahuku_32", False)],  # Loihi 2, whose prices are borrowed, and Loihi 1
)
def test_the_prices_say_whether_the_chip_sends_payload(name: str, sends: bool) -> None:
    assert operation_prices(load_board(name)).sends_payload is sends


def test_a_payload_that_is_not_public_counts_as_sent() -> None:
    board = load_board("nahuku_32")
    neuron = replace(board.chip.neuron, payload_bits=Quantity[int]("NF"))
    assert operation_prices(replace(board, chip=replace(board.chip, neuron=neuron))).sends_payload
