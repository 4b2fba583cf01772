"""Lava's own Dense, Conv and Sparse in place of our synapses: where they are taken, and that nothing changes."""

from __future__ import annotations

import numpy as np
import pytest

from loihi_onespike.core.codes import PayloadCode
from loihi_onespike.core.graphs.network import Network, Readout, Synapse
from loihi_onespike.core.graphs.verify_network import verify
from loihi_onespike.core.maps import Conv, Dense, Window
from loihi_onespike.core.trace import first_difference
from loihi_onespike.executors import reference
from loihi_onespike.executors.lava import run
from tests.strategies import random_case
from tests.support.lava_networks import chain, codes, everything, graded, membrane, source, weights
from tests.support.lava_processes import forked, needs_lava

pytestmark = [*needs_lava, forked]


@pytest.mark.parametrize(
    "network", [chain(1), chain(6), everything(3), graded(2)], ids=["short", "full", "everything", "graded"]
)
def test_same_traces(network: Network) -> None:
    x = codes(network, 2)
    assert first_difference(reference.run(network, x), run(network, x, synapses="stock", timeout_s=60)) is None


@pytest.mark.parametrize("seed", [20, 21, 22])
def test_same_traces_on_random_networks(seed: int) -> None:
    network, x = random_case(seed, images=2)
    assert first_difference(reference.run(network, x), run(network, x, synapses="stock", timeout_s=60)) is None


@pytest.mark.parametrize("seed", [30, 31])
def test_same_traces_on_random_networks_with_payload(seed: int) -> None:
    network, x = random_case(seed, images=2, payload=100)
    assert first_difference(reference.run(network, x), run(network, x, synapses="stock", timeout_s=60)) is None


def kinds(network: Network) -> dict[str, str]:
    from loihi_onespike.executors.lava.netx import Network as LavaNetwork

    layers = LavaNetwork(network, synapses="stock").layers
    return {
        name: type(process).__module__.split(".")[0] + "." + type(process).__name__
        for layer in layers
        for name, process in layer.synapses.items()
    }


def test_which_process_is_taken() -> None:
    assert kinds(chain(1)) == {
        "conv1": "lava.Conv",
        "max1": "lava.Conv",
        "conv2": "lava.Conv",
        "mean2": "lava.Conv",
        "out": "lava.Sparse",
    }
    found = kinds(graded(1))
    assert (found["conv1"], found["conv2"], found["max1 0"]) == ("lava.Conv",) * 3
    assert found["max1 3"] == "lava.Sparse", "a weight exponent"
    found = kinds(everything(1))
    assert found["signed"] == "lava.Sparse", "a 1-d convolution with uneven padding"
    assert found["shortcut"] == found["relay"] == "lava.DelaySparse"


def test_messages_widen_the_sum_of_a_stock_convolution() -> None:
    """6,000 inputs of weight 254 reach 1.5 million, with messages of 5 7.6 million, and with 6 more than 2^23."""
    shape, window = (6000, 1, 1), Window.plain((1, 1))
    op = Conv(np.full((1, *shape), 254, np.int16), window)
    for largest, taken in ((5, "lava.Conv"), (6, "lava.Sparse")):
        code = PayloadCode((4096,), (largest, 1))
        out = Readout("out", (1, 1, 1), membrane(4096, 1))
        network = verify(Network("n", (source(shape, code), out), (Synapse("out", "input", "out", op),)))
        assert kinds(network) == {"out": taken}


def test_a_kernel_over_one_place_goes_to_the_board_without_its_padding() -> None:
    from loihi_onespike.core.codes import BinaryCode
    from loihi_onespike.executors.lava.netx import Network as LavaNetwork

    same = Window((3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1))
    out = Readout("out", (2, 1, 1), membrane(8192, 3))
    conv = Conv(weights(4, (2, 3, 3, 3)), same)
    network = verify(Network("n", (source((3, 1, 1), BinaryCode(3)), out), (Synapse("out", "input", "out", conv),)))
    (layer,) = LavaNetwork(network, synapses="stock").layers
    assert layer.synapses["out"].proc_params["weight"].shape == (2, 1, 1, 3)
    x = codes(network, 2)
    assert first_difference(reference.run(network, x), run(network, x, synapses="stock", timeout_s=60)) is None


def test_own_synapse_where_a_stock_weight_would_be_clipped() -> None:
    from loihi_onespike.core.codes import BinaryCode

    twice = np.zeros(2, np.int32)
    out = Readout("out", (3,), membrane(8192, 3))
    dense = Dense(np.full((3, 2), 254, np.int16))
    network = verify(Network("n", (source((1,), BinaryCode(3)), out), (Synapse("out", "input", "out", dense, twice),)))
    assert kinds(network) == {"out": "loihi_onespike.OneSpikeSynapse"}
    plain = verify(
        Network("n", (source((2,), BinaryCode(3)), out), (Synapse("out", "input", "out", Dense(weights(1, (3, 2)))),))
    )
    assert kinds(plain) == {"out": "lava.Dense"}
