"""The whole network as one Lava process: equal to the oracle and, message for message, to the process graph."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

import netx_export
from loihi_onespike.core.graphs.network import Network, Readout, Synapse
from loihi_onespike.core.maps import Dense
from loihi_onespike.errors import ConfigurationError, HeadroomError, LavaError
from loihi_onespike.executors import reference
from loihi_onespike.executors.lava import run
from tests.executors.lava.test_equality import assert_equal, fires
from tests.strategies import random_case
from tests.support.lava_networks import chain, codes, everything, graded, membrane
from tests.support.lava_processes import Watch, group_members, needs_lava

pytestmark = needs_lava


def test_a_stream(tmp_path: Path) -> None:
    network = everything(2)
    x = codes(network, 6)
    expected = reference.run(network, x)
    assert fires(network, expected) and (np.asarray(expected.layers["signed"].words) < 0).any()
    watch = Watch()
    assert_equal(expected, run(network, x, processes="whole", progress=watch, timeout_s=60))
    assert watch.nothing_left()


def test_payload() -> None:
    network = graded(1)
    x = codes(network, 4)
    assert_equal(reference.run(network, x), run(network, x, processes="whole", timeout_s=60))


@pytest.mark.slow
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("network", [chain(0), chain(3), chain(6), everything(1), everything(5)], ids=lambda n: n.name)
def test_short_and_full_waits(network: Network, stream: bool) -> None:
    x = codes(network, 4)
    assert_equal(reference.run(network, x), run(network, x, stream=stream, processes="whole", timeout_s=60))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_random_networks(seed: int) -> None:
    network, x = random_case(seed)
    found = run(network, x, processes="whole", timeout_s=60)
    assert_equal(reference.run(network, x), found)
    assert_equal(run(network, x, timeout_s=60), found)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(30, 34))
def test_random_networks_with_payload_and_dips(seed: int) -> None:
    network, x = random_case(seed, payload=100, dips=60)
    assert_equal(reference.run(network, x), run(network, x, processes="whole", timeout_s=60))


PROGRAM = """
import sys

import numpy as np
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.io.sink import RingBuffer as Sink

from loihi_onespike.executors.lava import netx

if __name__ == "__main__":
    path, codes, out, processes, tag = sys.argv[1:]
    graph = netx.build(path, np.load(codes), processes=processes)
    net = graph.net
    steps = net.network.latency_steps
    sink = Sink(shape=net.out.shape, buffer=steps)
    net.out.connect(sink.a_in)
    config = graph.run_config("fixed_pt") if tag == "chosen" else Loihi2SimCfg(select_tag=tag)
    net.run(RunSteps(steps), config)
    sent = sink.data.get()
    if processes == "whole":
        assert np.array_equal(net.v.get(), sent[..., -1])
    net.stop()
    np.save(out, sent)
    print(len(net), "torch" in sys.modules)
"""


def messages(folder: Path, network: Network, processes: str, tag: str) -> np.ndarray:
    """(*readout shape, steps) what a user's own Lava program receives from `out`, step by step."""
    netx_export.write(network, folder / "net.net")
    np.save(folder / "codes.npy", codes(network, 1))
    (folder / "program.py").write_text(PROGRAM)
    arguments = ["program.py", "net.net", "codes.npy", "out.npy", processes, tag]
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, timeout=60, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(len(network.populations) - 1), "False"]
    return np.load(folder / "out.npy")


def test_beside_other_lava_processes(tmp_path: Path) -> None:
    network = chain(2)
    sent = messages(tmp_path, network, "whole", "chosen")
    expected = np.asarray(reference.run(network, codes(network, 1)).layers["out"].v)[0]
    assert np.array_equal(sent[..., -1], expected)
    # Until its window opens the readout shows its bias.
    assert (sent[..., : network.starts["out"]] == -7).all()


@pytest.mark.slow
@pytest.mark.parametrize("network", [chain(2), graded(2)], ids=["chain", "graded"])
def test_it_sends_what_the_process_graph_sends_in_every_step(tmp_path: Path, network: Network) -> None:
    for name in ("whole", "graph"):
        (tmp_path / name).mkdir()
    whole = messages(tmp_path / "whole", network, "whole", "fixed_pt")
    assert len(np.unique(whole, axis=-1).T) > 3, "v of the readout moves"
    assert np.array_equal(whole, messages(tmp_path / "graph", network, "graph", "chosen"))


BROKEN = """
from loihi_onespike.executors.lava import kernels


def broken(*_):
    return lambda spikes: 1 / 0


kernels.event_kernel = broken
"""


def test_exception_in_the_process_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitecustomize.py").write_text(BROKEN)  # runs in the worker before anything else
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    network = chain(3)
    watch = Watch()
    with pytest.raises(LavaError) as error:
        run(network, codes(network, 400), processes="whole", progress=watch, timeout_s=60)
    message = str(error.value)
    assert "process 'chain, wait 3' failed" in message and "in run_spk" in message
    assert "ZeroDivisionError: division by zero" in message
    assert not group_members(watch.worker)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("onespike")] == []


@pytest.mark.slow
def test_its_process_is_killed() -> None:
    network = chain(3)
    watch = Watch(lambda worker: os.kill(max(group_members(worker)), signal.SIGKILL))
    with pytest.raises(LavaError, match=r"steps\): it was killed by SIGKILL"):
        run(network, codes(network, 2000), processes="whole", progress=watch, timeout_s=60)
    assert watch.nothing_left()


def test_refusals() -> None:
    from loihi_onespike.executors.lava.netx import WholeNetwork, build

    network = chain(2)
    with pytest.raises(ConfigurationError, match=r"period: must be at least \d+ steps, got 5"):
        WholeNetwork(network, period=5)
    with pytest.raises(ConfigurationError, match="processes: must be graph or whole, got 'one'"):
        build(network, codes(network, 1), processes="one")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="must be graph with fixed_pt and stock synapses, got whole"):
        build(network, codes(network, 1), processes="whole", synapses="stock")
    with pytest.raises(ConfigurationError, match=r"must be graph with floating_pt .* got whole"):
        build(network, codes(network, 1), processes="whole").run_config("floating_pt")
    out = Readout("out", (1,), membrane(8192, 4))
    wide = Synapse("out", "input", "out", Dense(np.full((1, 66_053), 254, np.int16)), None, 7)
    message = "out: the synaptic input of one step, at worst, requires 33 bits, limit 32"
    with pytest.raises(HeadroomError, match=message):
        WholeNetwork(Network("n", (network.input, out), (wide,)))
    assert str(WholeNetwork(network)).splitlines()[0].split("|")[1].strip() == "Layer"
