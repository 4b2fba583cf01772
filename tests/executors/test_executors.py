"""`fast` equals the oracle: spike phase of every neuron, v at the end of every window, for random networks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings

import loihi_onespike as los
from loihi_onespike.core.encoding import encode_input
from loihi_onespike.core.trace import differing_spikes, first_difference
from loihi_onespike.errors import ConfigurationError
from loihi_onespike.executors import reference
from loihi_onespike.executors.fast.dense_layer import DenseLayer
from loihi_onespike.executors.fast.fast_executor import FastExecutor
from tests.strategies import Case, cases, random_case
from tests.support.models import inputs, make


@given(cases())
@settings(max_examples=70, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_fast_equals_the_reference(case: Case) -> None:
    _check_fast(case)


@given(cases(payload=60, dips=50))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@pytest.mark.thorough
def test_fast_equals_the_reference_with_payload_and_dips(case: Case) -> None:
    _check_fast(case)


@given(cases(payload=40, products=60))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@pytest.mark.thorough
def test_fast_equals_the_reference_with_products(case: Case) -> None:
    _check_fast(case)


def _check_fast(case: Case) -> None:
    expected = reference.run(*case)
    for events in (True, False):
        found = FastExecutor(case.network, events=events).run(case.codes)
        assert first_difference(expected, found) is None
        assert differing_spikes(expected, found) == 0
        assert np.array_equal(expected.output, found.output)


@pytest.mark.parametrize("payload", [0, 60])
@pytest.mark.parametrize(
    "seed", [seed if seed < 12 else pytest.param(seed, marks=pytest.mark.thorough) for seed in range(40)]
)
def test_peaks_are_those_of_the_reference(seed: int, payload: int) -> None:
    case = random_case(seed, payload=payload)
    expected = reference.run(*case)
    founds = [FastExecutor(case.network, events=events).run(case.codes) for events in (True, False)]
    for name, layer in expected.layers.items():
        for found in founds:
            assert (layer.peak, layer.input_peak) == (found.layers[name].peak, found.layers[name].input_peak), name


@pytest.mark.parametrize("seed", range(10))
def test_chunks_do_not_change_the_result(seed: int) -> None:
    network, codes = random_case(seed, images=3)
    whole = FastExecutor(network)
    pieces = FastExecutor(network, budget_bytes=whole.bytes_per_image)
    assert pieces.images_per_chunk == 1 and whole.images_per_chunk >= 3
    assert first_difference(whole.run(codes), pieces.run(codes)) is None
    assert np.array_equal(whole.predict(codes), pieces.predict(codes))


def test_an_image_beyond_the_budget_is_refused() -> None:
    network, codes = random_case(3)
    needed = FastExecutor(network).bytes_per_image
    with pytest.raises(ConfigurationError, match=f"must be at least {needed:,} bytes, .* got {needed - 1:,}"):
        FastExecutor(network, budget_bytes=needed - 1).predict(codes)


@pytest.mark.parametrize("seed", range(10))
def test_a_stream_gives_what_single_images_give(seed: int) -> None:
    network, codes = random_case(seed, images=3)
    stream = reference.run(network, codes)
    for i in range(len(codes)):
        alone = reference.run(network, codes[i : i + 1])
        assert np.array_equal(alone.output[0], stream.output[i])
        for name, layer in alone.layers.items():
            if layer.words is not None:
                assert np.array_equal(layer.words[0], stream.layers[name].words[i])  # type: ignore[index]


def test_first_difference_names_layer_quantity_and_place() -> None:
    network, codes = random_case(3)
    left, right = reference.run(network, codes), reference.run(network, codes)
    name = network.readout.name
    right.layers[name].v[0] += 1  # type: ignore[index]
    difference = first_difference(left, right)
    assert difference is not None
    assert (difference.layer, difference.quantity) == (name, "v")
    assert difference.right == difference.left + 1
    assert name in str(difference)


def test_maps_that_round_their_sums_give_the_same() -> None:
    """What every device but the CPU does, in case its library goes through fractions."""
    net = los.convert(make("residual"), inputs(8), timesteps=8, method="paper").network
    codes = encode_input(net.input, inputs(4).numpy())
    expected = FastExecutor(net).run(codes)
    phases = {net.input.name: codes}
    for p in net.populations[1:]:
        synapses = [(s, net.by_name[s.pre]) for s in net.synapses_onto(p.name)]
        layer = DenseLayer(p, synapses, torch.device("cpu"), rounded=True)  # type: ignore[arg-type]
        assert all(i.dtype == torch.float64 for i in layer.inputs)
        trace = layer.run_batch(phases)
        assert np.array_equal(trace.v, expected.layers[p.name].v)  # type: ignore[arg-type]
        if trace.words is not None:
            assert np.array_equal(trace.words, expected.layers[p.name].words)  # type: ignore[arg-type]
            phases[p.name] = trace.words


def test_devices_that_are_not_there_are_refused() -> None:
    net = los.convert(make("mlp"), inputs(8), timesteps=4, method="paper")
    with pytest.raises(ConfigurationError, match=r"device: must be .* got 'cuda:99'"):
        net.to("cuda:99")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("name", ["residual", "branches", "depthwise"])
def test_a_gpu_gives_the_same(name: str) -> None:
    net = los.convert(make(name), inputs(8), timesteps=8, wait=3)
    on_gpu = net.to("cuda")
    assert first_difference(net.trace(inputs(4)), on_gpu.trace(inputs(4))) is None
    assert np.array_equal(net.predict(inputs(4)), on_gpu.predict(inputs(4)))
