"""Networks and spikes for other tools."""

import numpy as np
import pytest

import loihi_onespike as los
import netx_export
from loihi_onespike.core.trace import first_difference


def test_spikes_for_numpy(document, onespike, net_file, tmp_path):
    asked = ("export", net_file, "--trace", tmp_path / "new" / "t.npz", "--data", "digits", "--images", "3")
    assert document(*asked)["trace"] == {"file": str(tmp_path / "new" / "t.npz"), "images": 3}
    arrays = np.load(tmp_path / "new" / "t.npz")
    images = los.data.load_data("digits").take(3).images[:]
    trace = los.load(net_file).trace(images)
    assert first_difference(trace, trace) is None and (arrays["output"] == trace.output).all()
    assert (arrays["relu1.words"] == trace.layers["relu1"].words).all() and "input.v" not in arrays


def test_nir(document, onespike, net_file, tmp_path):
    nir = pytest.importorskip("nir")
    from loihi_onespike.neighbours.nir import network_of

    found = document("export", net_file, "--nir", tmp_path / "net.nir")["nir"]
    assert {part["grade"] for part in found["parts"]} <= {"faithful", "approximate"}
    network = network_of(nir.read(str(tmp_path / "net.nir")))
    assert network.synapses[0].name == netx_export.read(net_file).synapses[0].name
    assert "faithful" in onespike("export", net_file, "--nir", tmp_path / "net.nir").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "must name what to write: --nir, --trace or --neurobench"),
        (("--trace", "t.npz"), "--data: required with --trace"),
        (("--trace", "t.npz", "--data", "nowhere.npz"), "nowhere.npz: no such file"),
    ],
)
def test_what_is_missing(onespike, net_file, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    done = onespike("export", net_file, *arguments)
    assert done.exit_code == 2 and said in done.stderr and list(tmp_path.iterdir()) == []


def test_neurobench(document, net_file, tmp_path):
    pytest.importorskip("neurobench")
    asked = ("--data", "digits", "--images", "2", "--neurobench", tmp_path / "m.json")
    assert document("export", net_file, *asked)["neurobench"]["metrics"]["Footprint"] > 0
