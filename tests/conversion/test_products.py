"""Products of two activations from the ANN graph to the integer network: a gate that scales every channel of a map."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from loihi_onespike.conversion.calibration.calibrate import calibrate
from loihi_onespike.conversion.calibration.codebooks import groups
from loihi_onespike.conversion.calibration.input_code import plan_input
from loihi_onespike.conversion.codes_of_options import input_code
from loihi_onespike.conversion.lowering.lower import lower
from loihi_onespike.conversion.quantization.dequantize import dequantize
from loihi_onespike.conversion.quantization.quantize import quantize
from loihi_onespike.conversion.resolved_options import ResolvedOptions
from loihi_onespike.core.activations import RELU, Sigmoid
from loihi_onespike.core.encoding import encode_values
from loihi_onespike.core.graphs.ann import Activate, AnnGraph, Input, Linear, Multiply, Node, Reindex
from loihi_onespike.core.graphs.network import Network, Population
from loihi_onespike.core.graphs.stage import Stage, StageGraph
from loihi_onespike.core.graphs.verify_ann import verify_ann
from loihi_onespike.core.maps import Conv, Dense, Pool, Window
from loihi_onespike.evaluation.alpha import FP32, operations
from loihi_onespike.executors import reference
from loihi_onespike.executors.fast.fast_executor import FastExecutor
from loihi_onespike.executors.float.float_executor import FloatExecutor

CHANNELS, SIZE = 6, 4


def weights(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(0, np.prod(shape[1:]) ** -0.5, shape)


@cache
def gated() -> tuple[AnnGraph, np.ndarray]:
    """relu(conv(x)) · sigmoid(linear(relu(linear(mean of relu(conv(x)))))), a readout, and 200 inputs of 8 bits."""
    maps, places = (CHANNELS, SIZE, SIZE), SIZE * SIZE
    spread = np.repeat(np.arange(CHANNELS, dtype=np.int32), places).reshape(maps)
    window = Window((3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1))
    whole = Window((SIZE, SIZE), (1, 1), ((0, 0), (0, 0)), (1, 1))
    flat = np.arange(CHANNELS * places, dtype=np.int32)
    bias = np.full((CHANNELS, 1, 1), 0.05)
    nodes = (
        Node("x", Input(), (), (3, SIZE, SIZE)),
        Node("conv", Linear(Conv(weights(CHANNELS, 3, 3, 3), window, 1), bias), ("x",), maps),
        Node("act", Activate(RELU), ("conv",), maps),
        Node("mean", Linear(Pool(whole, np.ones(())), None, np.array(1 / places)), ("act",), (CHANNELS, 1, 1)),
        Node("squeezed", Reindex(np.arange(CHANNELS, dtype=np.int32)), ("mean",), (CHANNELS,)),
        Node("reduce", Linear(Dense(weights(4, CHANNELS)), np.full(4, 0.1)), ("squeezed",), (4,)),
        Node("reduced", Activate(RELU), ("reduce",), (4,)),
        Node("expand", Linear(Dense(3 * weights(CHANNELS, 4))), ("reduced",), (CHANNELS,)),
        Node("gate", Activate(Sigmoid()), ("expand",), (CHANNELS,)),
        Node("spread", Reindex(spread), ("gate",), maps),
        Node("scaled", Multiply(), ("act", "spread"), maps),
        Node("flat", Reindex(flat), ("scaled",), (len(flat),)),
        Node("out", Linear(Dense(weights(5, len(flat))), np.linspace(-0.1, 0.1, 5)), ("flat",), (5,)),
    )
    x = np.random.default_rng(0).integers(0, 256, (200, 3, SIZE, SIZE)) / 255
    return verify_ann(AnnGraph("gated", nodes)), x


def output_of_ann() -> np.ndarray:
    """The same in numpy, without any of the graphs."""
    graph, x = gated()
    conv, out = (graph.by_name[name].op for name in ("conv", "out"))
    assert isinstance(conv, Linear) and isinstance(out, Linear)
    act = np.maximum(np.stack([conv.op.apply(image) for image in x]) + conv.bias, 0)
    reduced = np.maximum(act.mean(axis=(2, 3)) @ weights(4, CHANNELS).T + 0.1, 0)
    gate = 1 / (1 + np.exp(-reduced @ (3 * weights(CHANNELS, 4)).T))
    scaled = (act * gate[:, :, None, None]).reshape(len(x), -1)
    return scaled @ out.op.weight_values.T + out.bias


def converted(**options: object) -> tuple[StageGraph, Network]:
    graph, x = gated()
    given = ResolvedOptions(**{"payload_bits": 0, **options})  # type: ignore[arg-type]
    planned = calibrate(plan_input(lower(graph), [x], input_code(given)), [x], given)
    assert planned.input_plan is not None
    return planned, quantize(planned, encode_values(planned.input_plan, x))


def relative_error(found: np.ndarray) -> float:
    wanted = output_of_ann()
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted - wanted.mean(axis=0)))


def test_a_product_is_a_stage_that_computes_the_ann_exactly() -> None:
    graph, x = gated()
    stages = lower(graph)
    scaled = stages.by_name["scaled"]
    assert isinstance(scaled, Stage) and scaled.is_product and scaled.nonnegative
    assert [(link.pre, link.factor) for link in scaled.links] == [("act", 0), ("gate", 1)]
    np.testing.assert_allclose(FloatExecutor(stages, coded=False).run(x), output_of_ann(), rtol=0, atol=1e-5)


def test_factors_of_a_product_may_have_codes_of_their_own() -> None:
    together = [{stage.name for stage in group} for group in groups(lower(gated()[0]))]
    assert not any({"act", "gate"} <= names for names in together)


@pytest.mark.parametrize(
    ("options", "most"),
    [
        pytest.param({"timesteps": 6}, 0.25, marks=pytest.mark.thorough),
        ({"timesteps": 24}, 0.08),
        pytest.param({"timesteps": 4, "payload_bits": 2}, 0.12, marks=pytest.mark.thorough),
        ({"timesteps": 6, "wait": 3}, 0.35),
        ({"timesteps": 16, "method": "paper"}, 0.7),
    ],
)
def test_converted_products_are_near_the_ann_and_equal_in_executors(options: dict[str, object], most: float) -> None:
    planned, network = converted(**options)
    assert planned.input_plan is not None
    codes = encode_values(planned.input_plan, gated()[1])
    fast = FastExecutor(network).run(codes)
    oracle = reference.run(network, codes[:5])
    for name, layer in oracle.layers.items():
        found = fast.layers[name]
        if layer.words is not None:
            assert found.words is not None
            np.testing.assert_array_equal(found.words[:5], layer.words)
        if layer.v is not None:
            assert found.v is not None
            np.testing.assert_array_equal(found.v[:5], layer.v)
    of_few = FastExecutor(network).run(codes[:5])
    for name, layer in oracle.layers.items():
        if layer.v is not None:
            assert (of_few.layers[name].peak, of_few.layers[name].input_peak) == (layer.peak, layer.input_peak)
    np.testing.assert_array_equal(FastExecutor(network).predict(codes), fast.output)
    np.testing.assert_array_equal(FastExecutor(network, events=False).predict(codes), fast.output)
    assert relative_error(fast.output) < most
    product = network.by_name["scaled"]
    assert isinstance(product, Population) and product.product is not None
    assert product.wait == product.input_steps


def test_the_network_in_real_numbers_follows_from_the_integers() -> None:
    planned, network = converted(timesteps=12)
    x = gated()[1]
    assert planned.input_plan is not None
    of_integers = FloatExecutor(dequantize(network)).run(x)
    found = FastExecutor(network).run(encode_values(planned.input_plan, x)).output
    assert np.linalg.norm(of_integers - found) < 0.02 * np.linalg.norm(found)


def test_alpha_counts_additions_onto_products_and_their_multiplications() -> None:
    _, network = converted(timesteps=6)
    neurons = CHANNELS * SIZE * SIZE
    rates = {p.name: 0.5 for p in network.hidden} | {network.input.name: 3.0}
    found = operations(network, rates)
    assert found is not None and found.multiplications == neurons
    of_maps = operations_of_maps(network, rates)
    # Every neuron of the map and of the gate reaches each product once.
    assert found.additions == pytest.approx(of_maps + 0.5 * neurons + 0.5 * neurons)
    assert found.alpha(FP32) == pytest.approx(4.6 * found.macs / (0.9 * found.additions + 4.6 * neurons))


def operations_of_maps(network: Network, rates: dict[str, float]) -> float:
    """SpikeRate · OP_ANN of the layers of the ANN alone."""
    macs = network.facts["ann_macs"]
    assert isinstance(macs, dict)
    return sum(macs[s.name] * rates[s.pre] for s in network.synapses)


def test_a_sum_that_is_only_rearranged_is_a_factor_without_a_population() -> None:
    order = np.arange(5, -1, -1, dtype=np.int32)
    nodes = (
        Node("x", Input(), (), (8,)),
        Node("act", Activate(RELU), ("x",), (8,)),
        Node("first", Linear(Dense(weights(6, 8))), ("act",), (6,)),
        Node("turned", Reindex(order), ("first",), (6,)),
        Node("other", Linear(Dense(-weights(6, 8))), ("act",), (6,)),
        Node("second", Activate(RELU), ("other",), (6,)),
        Node("product", Multiply(), ("second", "turned"), (6,)),
        Node("out", Linear(Dense(weights(3, 6))), ("product",), (3,)),
    )
    stages = lower(verify_ann(AnnGraph("turned", nodes)))
    x = np.random.default_rng(1).normal(size=(20, 8))
    first = np.maximum(x, 0) @ weights(6, 8).T
    assert [stage.name for stage in stages.hidden] == ["act", "second", "product"]
    wanted = (np.maximum(-first, 0) * first[:, order]) @ weights(3, 6).T
    np.testing.assert_allclose(FloatExecutor(stages, coded=False).run(x), wanted, rtol=0, atol=1e-5)
