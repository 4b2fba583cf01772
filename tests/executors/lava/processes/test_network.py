"""`netx.Network` as a user's own Lava program uses it: from the file alone, with Lava's usual run configuration."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netx_export
from loihi_onespike.errors import ConfigurationError
from loihi_onespike.executors import reference
from tests.support.lava_networks import chain, codes, everything
from tests.support.lava_processes import needs_lava

pytestmark = needs_lava

PROGRAM = """
import sys

import numpy as np
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.io.sink import RingBuffer as Sink

from loihi_onespike.executors.lava.netx import build

if __name__ == "__main__":
    path, codes, out = sys.argv[1:]
    graph = build(path, np.load(codes))
    net = graph.net
    steps = net.network.latency_steps
    sink = Sink(shape=net.out.shape, buffer=steps)
    net.out.connect(sink.a_in)
    net.run(RunSteps(steps), Loihi2SimCfg(select_tag="fixed_pt", select_sub_proc_model=True))
    var, sent = net.out_layer.neuron.v.get(), sink.data.get()[..., -1]
    net.stop()
    np.save(out, np.stack([var, sent]))
    print(len(net), type(net.layers[1].neuron).__name__, "torch" in sys.modules)
"""


def test_a_program_that_builds_from_the_file(tmp_path: Path) -> None:
    network = chain(2)
    x = codes(network, 1)
    netx_export.write(network, tmp_path / "chain.net")
    np.save(tmp_path / "codes.npy", x)
    (tmp_path / "program.py").write_text(PROGRAM)
    arguments = [tmp_path / "program.py", tmp_path / "chain.net", tmp_path / "codes.npy", tmp_path / "v.npy"]
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], timeout=60, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["5", "OneSpikeMaxPool", "False"]
    assert "Cannot import module" not in done.stderr, "Lava's search for models runs through"
    expected = np.asarray(reference.run(network, x).layers["out"].v)[0]
    var, sent = np.load(tmp_path / "v.npy")
    assert np.array_equal(var, expected)
    assert np.array_equal(sent, expected)


def test_fixed_point_is_also_found_as_bit_accurate() -> None:
    from loihi_onespike.executors.lava.models import FIXED

    ours: list[Any] = [model for model in FIXED.values() if model.__module__.startswith("loihi_onespike")]
    assert len(ours) == 8
    assert all({"fixed_pt", "bit_accurate_loihi"} <= set(model.tags) for model in ours)


def test_attributes_and_table() -> None:
    from loihi_onespike.executors.lava.netx import Network

    network = everything(2)
    net = Network(network)
    assert len(net) == len(net.layers) == 6
    assert [layer.name for layer in net.layers] == [p.name for p in network.populations[1:]]
    assert net.inp.shape == (3, 8) and net.out.shape == (4, 8)
    assert net.layers[2].synapses.keys() == {"joined", "shortcut"}
    table = str(net).splitlines()
    assert len({len(line) for line in table}) == 1
    assert [line.split("|")[1].strip() for line in table] == [
        "Layer", "input", "signed", "wide", "joined", "", "relay", "both", "", "out",
    ]  # fmt: skip
    shortcut = [cell.strip() for cell in table[5].split("|")]
    assert shortcut[4:6] == ["signed", "Diagonal of gather"] and shortcut[11] == "3"


def test_period_and_synapses_are_checked() -> None:
    from loihi_onespike.executors.lava.netx import Network

    with pytest.raises(ConfigurationError, match=r"period: must be at least \d+ steps, got 5; windows would over"):
        Network(chain(2), period=5)
    with pytest.raises(ConfigurationError, match="synapses: must be own or stock, got 'sparse'"):
        Network(chain(2), synapses="sparse")  # type: ignore[arg-type]
