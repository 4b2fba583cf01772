"""Rows of state per neuron: what the mapper takes from the microcode, and the checker counts on its own."""

from dataclasses import replace

import numpy as np
import pytest

from loihi_onespike.boards.mapping import check_placement, layers_of, map_network
from loihi_onespike.boards.mapping.recount import Recount
from tests.strategies import random_network
from tests.support.networks import products


def changed(network, period=None, threshold=None, bias=None):
    """The network with another threshold and bias in its first hidden population, and another period."""
    hidden = network.hidden[0]
    membrane = hidden.membrane if bias is None else replace(hidden.membrane, bias=bias)
    hidden = replace(hidden, membrane=membrane, threshold=hidden.threshold if threshold is None else threshold)
    populations = tuple(hidden if p.name == hidden.name else p for p in network.populations)
    made = replace(network, populations=populations)
    if period is not None:
        made.__dict__["period_steps"] = period  # a cached property
    return made


def rows(network):
    """(by the mapper, by the checker) of the first hidden population."""
    name = network.hidden[0].name
    (layer,) = (y for y in layers_of(network) if y.name == name)
    return layer.state_rows, Recount(network, map_network(network, "hala_point").placement).rows[name]


NETWORK = random_network(1)
SHAPE = NETWORK.hidden[0].shape
MANY = np.arange(2, 2 + int(np.prod(SHAPE))).reshape(SHAPE)


@pytest.mark.parametrize(
    ("threshold", "bias", "period", "expected"),
    [
        (np.array(2), np.array(0), 20, 1),  # v 24, clock 8, flag 8
        (MANY, np.array(0), 20, 1),  # 24 + 24 + 8 + 8 = 64 bits
        (np.array(2), MANY, 20, 1),
        (MANY, MANY, 20, 2),  # a third field of 24 bits does not fit
        (np.full(SHAPE, 7), MANY, 20, 1),  # written out, and still one number
        (MANY, np.array(0), 127, 1),
        (MANY, np.array(0), 128, 2),  # a clock of 16 bits: 72 bits
        (np.array(2), np.array(0), 128, 1),  # 48 bits
        (MANY, MANY, 128, 2),
    ],
)
def test_rows_by_hand(threshold, bias, period, expected):
    assert MANY.size > 1
    assert rows(changed(NETWORK, period, threshold, bias)) == (expected, expected)


def test_a_readout_keeps_no_flag_and_no_threshold():
    readout = NETWORK.readout
    bias = np.arange(np.prod(readout.shape)).reshape(readout.shape)
    made = replace(readout, membrane=replace(readout.membrane, bias=bias))
    network = replace(NETWORK, populations=(*NETWORK.populations[:-1], made))
    network.__dict__["period_steps"] = 128  # v, bias, clock: 24 + 24 + 16 = 64 bits
    assert layers_of(network)[-1].state_rows == 1
    assert Recount(network, map_network(network, "hala_point").placement).rows[readout.name] == 1


@pytest.mark.parametrize("seed", range(6))
def test_the_checker_agrees_on_long_periods(seed):
    network = random_network(seed, products=seed % 2 * 60)
    network.__dict__["period_steps"] = 200
    assert check_placement(network, map_network(network, "hala_point").placement) == []


@pytest.mark.parametrize("period", [16, 200])
def test_rows_of_a_product_hold_both_sums(period):
    """Two sums fill a row but for 16 bits; then two more of threshold, biases and what is added, in any number."""
    network = products()
    network.__dict__["period_steps"] = period
    scaled = {layer.name: layer.state_rows for layer in layers_of(network)}
    # scaled: sums, threshold, three biases; squares: sums, two biases and one of all neurons.
    assert (scaled["scaled"], scaled["squares"], scaled["gate"]) == (3, 2, 2)
    recount = Recount(network, map_network(network, "hala_point").placement)
    assert {name: recount.rows[name] for name in scaled} == scaled


@pytest.mark.parametrize("seed", range(8))
def test_the_checker_agrees_on_products(seed):
    network = random_network(seed, products=60)
    assert check_placement(network, map_network(network, "oheo_gulch").placement) == []
