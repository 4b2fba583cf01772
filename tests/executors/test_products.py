"""Neurons whose v is the product of two sums: the oracle against the arithmetic, written out for one neuron."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from loihi_onespike.core.codes import Base, BinaryCode, PhaseCode, ThresholdTable
from loihi_onespike.core.graphs.network import InputPopulation, Membrane, Network, Population, Product, Readout, Synapse
from loihi_onespike.core.graphs.verify_network import verify
from loihi_onespike.core.maps import Dense
from loihi_onespike.errors import GraphError
from loihi_onespike.executors import reference

ONE, ZERO = np.ones(()), np.zeros((), np.int64)
BITS, SHIFT, BIAS = 4, 6, 37
CODE = PhaseCode(Base.nearest(1.5), 6)
WEIGHTS = (np.array([[6, -4], [2, 8], [-10, 4]]), np.array([[4, 4], [-2, 6], [6, 12]]))
"""Weights of both factors of the three products of two inputs."""


def product_network() -> Network:
    """Two inputs of four bits, three products of two sums of them, and a readout that adds the three."""
    code = BinaryCode(BITS)
    first = Membrane(code.gains, 5, np.array(50), ONE)
    second = Membrane(code.gains, 4, np.array(-20), ONE)
    table = ThresholdTable.from_gains(CODE.thresholds())
    product = Population(
        "product", (3,), "product", first, BITS, CODE, np.array(20_000), table, table, ONE,
        product=Product(second, SHIFT, np.array(BIAS)),
    )  # fmt: skip
    return verify(
        Network(
            "products",
            (
                InputPopulation("input", (2,), code, ONE, np.zeros(())),
                product,
                Readout("readout", (1,), Membrane(CODE.gains, 4, ZERO, ONE)),
            ),
            (
                Synapse("product.0", "input", "product", Dense(WEIGHTS[0].astype(np.int16))),
                Synapse("product.1", "input", "product", Dense(WEIGHTS[1].astype(np.int16)), factor=1),
                Synapse("readout", "product", "readout", Dense(np.full((1, 3), 2, np.int16))),
            ),
        )
    )


def changed(network: Network, **changes: Any) -> Network:
    """The network with other fields of its product."""
    source, product, readout = network.populations
    assert isinstance(product, Population)
    return replace(network, populations=(source, replace(product, **changes), readout))


def test_v_is_the_shifted_product_of_both_sums() -> None:
    network = product_network()
    codes = np.random.default_rng(0).integers(0, 2**BITS, (20, 2))
    trace = reference.run(network, codes)
    layer = trace.layers["product"]
    assert layer.v is not None and layer.codes is not None
    # Gains of 2 make v(0) · 2^4 + 2^4 Σ_t bit_t 2^-t, which is the code itself, exact in integers.
    u, w = ((codes @ WEIGHTS[i].T << shift) + (bias << BITS) for i, (shift, bias) in enumerate([(5, 50), (4, -20)]))
    v = np.clip((u * w >> SHIFT) + BIAS, -(2**23), 2**23 - 1)
    np.testing.assert_array_equal(layer.v, v)
    population = network.by_name["product"]
    assert isinstance(population, Population)
    theta = population.table.thresholds(np.array(20_000)).ravel()
    first = np.argmax(np.abs(v)[..., None] >= theta, axis=-1) + 1
    expected = np.where(np.abs(v) >= theta[-1], first, 0) * np.sign(v)
    np.testing.assert_array_equal(layer.codes, expected)
    assert {-1, 0, 1} <= set(np.sign(expected).ravel().tolist())


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"wait": BITS - 1}, "must wait for the whole input of both factors, 4 steps, got 3"),
        ({"product": None}, r"factor must be in 0..0, since product has 1, got 1"),
    ],
)
def test_rules_of_products(changes: dict[str, Any], found: str) -> None:
    network = product_network()
    with pytest.raises(GraphError, match=found):
        verify(changed(network, **changes))


def test_both_factors_need_synapses() -> None:
    network = product_network()
    synapses = tuple(s for s in network.synapses if s.factor == 0)
    with pytest.raises(GraphError, match="input_steps must be that of its inputs"):
        verify(replace(network, synapses=synapses))


def test_a_shift_beyond_the_product_of_two_potentials_is_refused() -> None:
    network = product_network()
    population = network.by_name["product"]
    assert isinstance(population, Population) and population.product is not None
    with pytest.raises(GraphError, match=r"shift of the product must be in 0..46, got 47"):
        verify(changed(network, product=replace(population.product, shift=47)))
