"""The demo: its network, its figures, its files."""

import json
from functools import partial

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

import loihi_onespike as los
from loihi_onespike.cli.app import app
from loihi_onespike.data import load_data
from loihi_onespike.demo import train
from loihi_onespike.demo.walkthrough import run_demo
from loihi_onespike.errors import DataError
from loihi_onespike.executors.lava import available
from loihi_onespike.models.digits_cnn import WEIGHTS, DigitsCNN, load_digits_cnn


@pytest.fixture(scope="module")
def without_lava(tmp_path_factory):
    """Everything but Lava."""
    patch = pytest.MonkeyPatch()
    patch.setattr("loihi_onespike.demo.walkthrough.why_unavailable", lambda: "Lava is not installed in this test")
    seen = {}
    out = tmp_path_factory.mktemp("demo")
    result = run_demo(out, images=4, stream_images=2, progress=lambda what, done, of: seen.update({what: (done, of)}))
    patch.undo()
    return result, seen


@pytest.fixture
def quick(monkeypatch):
    """The cheapest conversion, for commands on a few images; `without_lava` has the default one."""
    monkeypatch.setattr("loihi_onespike.convert", partial(los.convert, method="paper"))


def test_shipped_network():
    data, model = load_data("digits"), load_digits_cnn()
    assert WEIGHTS.stat().st_size < 200_000 and not model.training
    assert train.accuracy(model, np.asarray(data.images), data.labels) >= 0.98
    assert sum(p.numel() for p in model.parameters()) == 6366  # as its docstring says
    assert all(not v.requires_grad or v.isfinite().all() for v in model.parameters())


def test_figures(without_lava):
    result, _ = without_lava
    ann, snn = result.integer.ann_accuracy, result.integer.accuracy
    assert ann.total == snn.total == 599 and snn.value >= 0.97
    assert 100 * (ann.value - snn.value) <= 0.6 and 100 * (ann.value - result.floating.accuracy.value) <= 0.6
    hidden = {n: r for n, r in result.integer.spikes_per_neuron.items() if n != "input"}
    assert all(0 < rate <= 1 for rate in hidden.values())
    assert result.integer.alpha_int8 > 1 and result.integer.period_steps == 32


def test_fast_equals_the_oracle(without_lava):
    result, _ = without_lava
    (fast,) = result.comparisons
    assert result.equal and fast.equal and fast.differing_spikes == 0
    assert fast.images == 6 and fast.spikes == 6 * (64 + 768 + 1024 + 256 + 384)


def test_files(without_lava):
    result, seen = without_lava
    assert {p.name for p in result.files.values()} == {"digits.h5", "demo.png", "report.json"}
    with Image.open(result.files["picture"]) as picture:
        assert picture.size == (1800, 1440) and np.asarray(picture.convert("L")).std() > 10
    report = json.loads(result.files["report"].read_text())
    assert report["equal_to_oracle"] and report["lava_missing"] and report["int8"]["images"] == 599
    assert seen["evaluate INT8"] == (599, 599) and seen["quantize"] == (5, 5)


def test_more_images_than_there_are(tmp_path):
    with pytest.raises(DataError, match="599"):
        run_demo(tmp_path, images=599, stream_images=1)


@pytest.mark.usefixtures("quick")
def test_command_without_lava(tmp_path, monkeypatch):
    monkeypatch.setattr("loihi_onespike.demo.walkthrough.why_unavailable", lambda: "Lava is not installed in this test")
    arguments = [
        "demo",
        "--out",
        str(tmp_path),
        "--images",
        "2",
        "--stream-images",
        "1",
        "--timesteps",
        "8",
        "--wait",
        "4",
    ]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0
    assert "Lava did not run: Lava is not installed in this test" in result.stdout
    for word in ("ANN (PyTorch)", "one-spike, INT8", "95 % interval", "spikes per hidden neuron", "period", "demo.png"):
        assert word in result.stdout


@pytest.mark.thorough
@pytest.mark.lava
@pytest.mark.skipif(not available(), reason="Lava is not installed")
@pytest.mark.parametrize(
    "wait",
    [pytest.param((), id="full wait"), pytest.param(("--wait", "5"), id="short wait", marks=pytest.mark.slow)],
)
@pytest.mark.usefixtures("quick")
def test_command_with_lava(tmp_path, wait):
    arguments = ["demo", "--out", str(tmp_path), "--images", "3", "--stream-images", "4", "--json", *wait]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["equal_to_oracle"] and found["lava_missing"] is None and found["lava_accuracy"]["total"] == 7
    assert [(c["what"], c["images"], c["differing_spikes"]) for c in found["comparisons"]] == [
        ("fast", 7, 0),
        ("Lava, one by one", 3, 0),
        ("Lava, stream", 4, 0),
    ]


def test_training_runs_and_is_seeded(tmp_path, monkeypatch, capsys):
    """Two epochs of four batches: the script writes weights that the network takes, twice the same."""
    x, y = train.training_part()
    monkeypatch.setattr(train, "training_part", lambda: (x[:256], y[:256]))
    network, weights, _ = train.NETWORKS["digits"]
    monkeypatch.setitem(train.NETWORKS, "digits", (network, weights, 2))
    states = []
    for name in ("a", "b"):
        train.main("digits", str(tmp_path / f"{name}.safetensors"))
        states.append((tmp_path / f"{name}.safetensors").read_bytes())
    assert states[0] == states[1]
    assert "% of 599 images" in capsys.readouterr().out


def test_shifted_images_keep_their_size():
    x = torch.ones(5, 1, 8, 8)
    moved = train.shifted(x)
    assert moved.shape == x.shape and moved.sum(dim=(1, 2, 3)).min() >= 49


def test_network_keeps_its_shape():
    assert DigitsCNN()(torch.zeros(2, 1, 8, 8)).shape == (2, 10)
