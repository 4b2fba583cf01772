"""Floating point: the same network without rounding and saturation, so near the integers but not equal."""

from __future__ import annotations

import numpy as np

from loihi_onespike.executors import reference
from loihi_onespike.executors.lava import run
from tests.support.lava_networks import chain, codes, graded, sides
from tests.support.lava_processes import forked, needs_lava
from tests.support.networks import products

pytestmark = [*needs_lava, forked]


def test_floating_point_is_close_to_fixed_point() -> None:
    network = chain(6)
    x = codes(network, 6)
    fixed, floating = reference.run(network, x), run(network, x, precision="floating_pt", timeout_s=60)
    for population in network.hidden:
        a, b = (np.asarray(t.layers[population.name].words) for t in (fixed, floating))
        assert np.mean(a == b) > 0.97, population.name
        assert np.abs(a - b).max() <= len(population.table.mant)
    # The first layer sees the same spikes; its v differs by the floors of its leak alone, one per step, each grown on.
    v, exact = (np.asarray(t.layers["conv1"].v) for t in (fixed, floating))
    assert exact.dtype == np.float64
    assert np.abs(v - exact).max() <= 2**4
    spread = np.abs(fixed.output).max()
    assert np.abs(fixed.output - floating.output).max() < 0.25 * spread


def test_payload_in_floating_point() -> None:
    """The pooled messages are integers in floating point too."""
    network = graded(3)
    x = codes(network, 4)
    fixed, floating = reference.run(network, x), run(network, x, precision="floating_pt", timeout_s=60)
    for population in network.hidden:
        a, b = (np.asarray(t.layers[population.name].words) for t in (fixed, floating))
        assert np.mean(a == b) > 0.95, population.name


def test_products_in_floating_point() -> None:
    """A product of two sums without saturation differs from the integers by the floors of the leaks and the shift."""
    network = products()
    x = codes(network, 3)
    fixed, floating = reference.run(network, x), run(network, x, precision="floating_pt", timeout_s=60)
    v, exact = (np.asarray(t.layers["scaled"].v) for t in (fixed, floating))
    assert exact.dtype == np.float64
    np.testing.assert_allclose(v, exact, atol=0.01 * np.abs(v).max())


def test_one_sided_neurons_in_floating_point() -> None:
    network = sides(3)
    x = codes(network, 6)
    fixed, floating = reference.run(network, x), run(network, x, precision="floating_pt", timeout_s=60)
    a, b = (np.asarray(t.layers["pairs"].words) for t in (fixed, floating))
    assert np.mean(a == b) > 0.95
    assert b[:, 0].min() == 0 and np.array_equal(b[:, 0], np.maximum(b[:, 1], 0)) and b[:, 1].min() < 0


def test_without_rounding_to_do_it_is_exact() -> None:
    # Base 2 doubles v: no leak ever rounds, so the first layer of a binary input is the same in both.
    network = chain(4)
    x = codes(network, 2)
    floating = run(network, x, precision="floating_pt", timeout_s=60)
    found, expected = floating.layers["conv1"].v, reference.run(network, x).layers["conv1"].v
    assert found is not None and expected is not None and np.array_equal(found, expected)
