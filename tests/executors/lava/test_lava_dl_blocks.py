"""Weights in the NetX file, read and run by lava-dl's own Conv and Dense blocks, give the oracle's synaptic input."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import netx_export
from loihi_onespike.core.codes import BinaryCode
from loihi_onespike.core.graphs.network import Network, Readout, Synapse
from loihi_onespike.core.graphs.verify_network import verify
from loihi_onespike.core.maps import Conv, Window
from loihi_onespike.core.maps.connectivity import synapse_matrix
from loihi_onespike.core.trace import Trace
from loihi_onespike.executors import reference
from tests.support.lava_networks import chain, codes, graded, membrane, source, weights
from tests.support.lava_processes import needs_lava

pytestmark = [*needs_lava, pytest.mark.thorough]


def strided() -> list[Network]:
    """Nothing square, nothing equal on two axes: an axis in the wrong place shows."""
    conv = Conv(weights(1, (4, 3, 3, 2)), Window((3, 2), (2, 1), ((1, 1), (0, 0)), (1, 2)))
    grouped = Conv(weights(1, (6, 2, 2, 3), 127), Window((2, 3), (1, 2), ((0, 0), (2, 2)), (1, 1)), groups=2)
    first = source((3, 7, 9), BinaryCode(3)), Readout("out", conv.output_shape((3, 7, 9)), membrane(8192, 3))
    second = source((4, 5, 6), BinaryCode(3)), Readout("out", grouped.output_shape((4, 5, 6)), membrane(8192, 3))
    return [
        verify(Network("strided", populations, (Synapse("out", "input", "out", op),)))
        for populations, op in ((first, conv), (second, grouped))
    ]


CASES = {
    "conv": (chain(6), "conv1"),
    "conv of pooled": (chain(6), "conv2"),
    "dense of flattened": (chain(6), "out"),
    "strided": (strided()[0], "out"),
    "grouped": (strided()[1], "out"),
    "conv of messages": (graded(2), "conv2"),
    "dense of signed messages": (graded(2), "out"),
}


def spikes_of(network: Network, name: str, trace: Trace) -> NDArray[np.int8]:
    """Messages (steps of all images one after the other, *shape)."""
    population, words = network.by_name[name], np.asarray(trace.layers[name].words)
    assert not isinstance(population, Readout)
    steps = [population.code.spikes(words, t) for t in range(1, population.timesteps + 1)]
    return np.stack(steps, axis=1).reshape(-1, *population.shape).astype(np.int8)


@pytest.fixture(scope="module")
def computed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[NDArray[np.integer], NDArray[np.integer]]]:
    """(expected, by lava-dl) sums of every case; one child process, because lava-dl takes seconds to import."""
    folder = tmp_path_factory.mktemp("blocks")
    expected = {}
    for name, (network, post) in CASES.items():
        (synapse,) = network.synapses_onto(post)
        spikes = spikes_of(network, synapse.pre, reference.run(network, codes(network, 2)))
        matrix = synapse_matrix(synapse.op, network.by_name[synapse.pre].shape, synapse.index).astype(np.int64)
        sums = (matrix @ spikes.reshape(len(spikes), -1).T).T
        expected[name] = sums.reshape(-1, *network.by_name[post].shape)
        netx_export.write(network, folder / f"{name}.net")
        (folder / f"{name}.name").write_text(post)
        np.save(folder / f"{name}.npy", spikes)
    command = [sys.executable, "-m", "tests.support.lava_dl_blocks", str(folder)]
    subprocess.run(command, check=True, timeout=120, cwd=Path(__file__).parents[3])
    return {name: (sums, np.load(folder / f"{name}.sums.npy")) for name, sums in expected.items()}


@pytest.mark.parametrize("name", CASES)
def test_lava_dl_computes_the_oracles_input(
    name: str, computed: dict[str, tuple[NDArray[np.integer], NDArray[np.integer]]]
) -> None:
    expected, found = computed[name]
    assert np.abs(expected).max() > 50, "there is something to compare"
    assert np.array_equal(expected, found)
