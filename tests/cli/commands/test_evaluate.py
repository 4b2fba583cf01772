import json
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import loihi_onespike as los
from loihi_onespike.boards.energy.break_even import PaperBalance
from loihi_onespike.cli.commands.evaluate import energy_sentence
from loihi_onespike.data import load_data
from loihi_onespike.evaluation.alpha import ArithmeticCounts
from loihi_onespike.evaluation.evaluator import Evaluator


def test_file_with_model(document, net_file):
    found = document("evaluate", net_file, "--data", "digits", "--model", "digits")
    assert found["images"] == 599 and found["executor"] == "fast"
    assert found["accuracy"]["value"] >= 0.97 and found["ann_accuracy"]["correct"] == 597
    low, high = found["accuracy"]["interval"]
    assert low < found["accuracy"]["value"] < high
    assert set(found["spikes_per_neuron"]) == {"input", "relu1", "relu2", "max_pool", "relu3"}
    assert found["alpha_fp32"] > 1 and (found["latency_steps"], found["period_steps"]) == (42, 24)


def test_file_without_model(document, net_file):
    found = document("evaluate", net_file, "--data", "digits", "--images", "50")
    assert found["images"] == 50 and found["ann_accuracy"] is None and found["loss_pp"] is None


def test_model_is_converted_first(document):
    arguments = ("--data", "digits", "--timesteps", "8", "--wait", "4", "--executor", "float", "--method", "paper")
    found = document("evaluate", "digits", *arguments)
    assert found["executor"] == "float" and found["period_steps"] == 12 and found["ann_accuracy"]["total"] == 599


MODEL = """
import torch
from torch import nn


class Distance(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer, self.last = nn.Linear(4, 6), nn.Linear(12, 3)

    def forward(self, left, right):
        return self.last(torch.relu(torch.cat([self.layer(left), self.layer(right)], 1)))


def build():
    torch.manual_seed(0)
    return Distance()
"""


def test_several_inputs_from_one_file(document, onespike, tmp_path):
    chance = np.random.default_rng(0)
    model, data, net = tmp_path / "model.py", tmp_path / "data.npz", tmp_path / "net.h5"
    model.write_text(MODEL)
    arrays = {name: chance.normal(size=(40, 4)).astype(np.float32) for name in ("left", "right")}
    np.savez(data, **arrays, y=chance.integers(0, 3, 40))
    spec = f"{model}:build"
    found = document("convert", spec, "--data", data, "-o", net, "--timesteps", "12")
    assert found["calibration_images"] == 40
    found = document("evaluate", net, "--data", data, "--model", spec)
    assert found["images"] == 40 and found["agreement"]["value"] > 0.9
    assert document("profile", net, "--data", data, "--images", "5")["images"] == 5
    assert document("diagnose", net, "--data", data, "--model", spec, "--images", "20")["images"] == 20
    np.savez(data, left=arrays["left"], middle=arrays["right"], y=np.zeros(40, int))
    result = onespike("evaluate", net, "--data", data)
    assert result.exit_code == 2 and "takes the arrays left, right, got left, middle" in result.stderr
    result = onespike("convert", spec, "--data", data, "-o", net)
    assert result.exit_code == 2 and "takes the arrays left, right, got left, middle" in result.stderr


def test_text(onespike, net_file):
    arguments = ("--images", "20", "--model", "digits", "--board", "hala_point")
    result = onespike("evaluate", net_file, "--data", "digits", *arguments)
    for word in (
        "20 images",
        "one-spike accuracy",
        "percentage points",
        "α FP32, INT8",
        "Spikes and costs",
        "energy on the board",
    ):
        assert word in result.stdout
    said = " ".join(result.stdout.split())
    assert "Energy: by arithmetic alone the network takes" in said and "with the synapses and neuron updates of" in said


def test_the_energy_is_said_in_one_sentence():
    """1000 MACs of 0.2 pJ are 200 pJ, 500 additions of 0.03 pJ 15 pJ: 13.33 times less; 10 nJ are 50 times 200 pJ."""
    network: Any = SimpleNamespace(name="net")
    evaluation: Any = SimpleNamespace(spikes_per_neuron={}, alpha_int8=200 / 15, energy_nj=None, board=None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PaperBalance, "of", lambda network, spikes, made: PaperBalance(ArithmeticCounts(1000.0, 500.0)))
        alone = energy_sentence(evaluation, network)
        assert "takes 13.33 times less than the ANN (INT8, Eq. 6); with memory, neuron updates" in alone
        evaluation.energy_nj, evaluation.board = 10.0, "Board"
        on_board = energy_sentence(evaluation, network)
        assert "of Board it takes 10 nJ per image, 50.00 times as much as the bare arithmetic" in on_board
        patch.setattr(PaperBalance, "of", lambda network, spikes, made: None)
        assert "does not record" in energy_sentence(evaluation, network)


@pytest.fixture(scope="module")
def firing_share(net_file):
    """Share of the neurons of relu3 that fire, by the oracle, on the 12 images that --images 12 takes."""
    phases = los.load(net_file).trace(load_data("digits").take(12).images, "reference").layers["relu3"].words
    return float(np.mean(phases != 0))


@pytest.mark.parametrize("executor", ["reference", "fast"])
def test_executors_agree(document, net_file, firing_share, executor):
    found = document("evaluate", net_file, "--data", "digits", "--images", "12", "--executor", executor)
    assert found["spikes_per_neuron"]["relu3"] == pytest.approx(firing_share, abs=1e-12)


def test_calibrating_with_what_is_evaluated_is_remarked(onespike, tmp_path):
    data = load_data("digits").take(40)
    np.savez(tmp_path / "d.npz", x=data.images, y=data.labels)
    result = onespike("evaluate", "digits", "--data", tmp_path / "d.npz", "--method", "paper")
    assert "calibration images are among those that are evaluated" in result.stderr


def test_continues_where_it_was_interrupted(onespike, document, net_file, tmp_path, monkeypatch):
    """Ctrl-C after the first of three parts: one line says how to go on, and the second run counts two parts."""
    asked = ("evaluate", net_file, "--data", "digits", "--images", "30", "--batch", "10", "--resume", tmp_path / "f")
    counted = Evaluator.count

    def stop(evaluator, part):
        if part.number == 1:
            raise KeyboardInterrupt
        return counted(evaluator, part)

    monkeypatch.setattr(Evaluator, "count", stop)
    first = onespike(*asked)
    assert first.exit_code == 130
    assert first.stderr.strip().splitlines()[-1] == (
        f"onespike: interrupted; 10 of 30 images are counted in {tmp_path / 'f'}; run the same command again to count "
        "the rest"
    )
    monkeypatch.setattr(Evaluator, "count", counted)
    assert document(*asked) == document(*asked[:-2])
    refused = onespike(*asked, "--model", "digits")
    assert refused.exit_code == 2 and "model: none in the folder, DigitsCNN " in refused.stderr


def test_shards(document, onespike, net_file, tmp_path):
    asked = ("evaluate", net_file, "--data", "digits", "--images", "30", "--batch", "10", "--resume", tmp_path / "f")
    state = document(*asked, "--shard", "1/2")
    assert (state["finished"], state["of"]) == (20, 30)
    assert "20 of 30 images are counted in" in onespike(*asked, "--shard", "1/2").stdout
    assert document(*asked, "--shard", "2/2") == document(*asked[:-2])


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--shard", "1/2"), "--shard: requires --resume FOLDER"),
        (("--slurm", "2"), "--slurm: requires --resume FOLDER"),
        (("--slurm-local",), "--slurm-local: requires --slurm N"),
        (("--resume", "f", "--slurm", "2", "--slurm-option", "qos"), "--slurm-option: must be NAME=VALUE, such as"),
        (("--resume", "f", "--slurm", "2"), "on a machine without SLURM, --slurm-local"),
    ],
)
def test_what_jobs_ask_for(onespike, net_file, more, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))  # no srun
    done = onespike("evaluate", net_file, "--data", "digits", "--images", "4", *more)
    assert done.exit_code == 2 and said in done.stderr


@pytest.mark.slow
def test_an_array_of_jobs(document, net_file, tmp_path):
    """Two processes in place of SLURM's jobs; the second run has nothing left to submit."""
    asked = ("evaluate", net_file, "--data", "digits", "--images", "30", "--batch", "10", "--resume", tmp_path / "f")
    jobs = ("--slurm", "2", "--slurm-local", "--slurm-logs", tmp_path / "logs")
    expected = document(*asked[:-2])
    assert document(*asked, *jobs) == expected
    submitted = len(list((tmp_path / "logs").glob("*_submitted.pkl")))
    assert submitted == 2 and document(*asked, *jobs) == expected
    assert len(list((tmp_path / "logs").glob("*_submitted.pkl"))) == 2


@pytest.mark.slow
def test_torchrun(net_file, document, tmp_path):
    """Two ranks as torchrun starts them: rank 0 prints one document, that of one process."""
    asked = ("evaluate", str(net_file), "--data", "digits", "--images", "30", "--batch", "7", "--json")
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone"]
    done = subprocess.run(
        [*torchrun, "-m", "loihi_onespike", *asked, "--resume", tmp_path / "f"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == document(*asked[:-1])
    failed = subprocess.run(
        [*torchrun, "-m", "loihi_onespike", *asked, "--resume", __file__], capture_output=True, text=True, timeout=120
    )
    assert failed.returncode != 0 and "rank 0: DataError" in failed.stderr


def arrays(path, scale=1.0, spoiled=None):
    """Digits as a file of arrays, perhaps scaled in another way, or with one value that is no number."""
    found = load_data("digits").take(20)
    x = np.array(found.images[:]) * scale
    if spoiled is not None:
        x[3, 0, 2, 1] = spoiled
    np.savez(path, x=x, y=found.labels)
    return path


def test_inputs_of_another_scale_are_told(onespike, document, net_file, tmp_path):
    file = arrays(tmp_path / "scaled.npz", 255.0)
    result = onespike("evaluate", net_file, "--data", file)
    lines = [line for line in result.stderr.splitlines() if "warning" in line]
    assert result.exit_code == 0 and len(lines) == 1
    assert lines[0].startswith("onespike: warning: x: ") and "far outside the range of the calibration" in lines[0]
    found = document("evaluate", net_file, "--data", file)
    assert found["clipped_inputs"] > 100 and 0.1 < found["clipped_share"] < 1
    found = document("evaluate", net_file, "--data", arrays(tmp_path / "same.npz"))
    assert found["clipped_inputs"] == 0 and found["clipped_share"] == 0


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("name", ["evaluate", "run", "profile"])
def test_data_that_are_not_finite(onespike, net_file, tmp_path, name, value):
    result = onespike(name, net_file, "--data", arrays(tmp_path / "bad.npz", spoiled=value))
    assert result.exit_code == 2
    assert "bad.npz: x: values must be finite, got NaN or infinity in 1 of" in result.stderr
    assert "first in sample 3 at (0, 2, 1)" in result.stderr


def test_labels_that_the_network_does_not_have(onespike, net_file, tmp_path):
    np.savez(tmp_path / "d.npz", x=np.array(load_data("digits").take(5).images[:]), y=np.arange(5) + 8)
    for name in ("evaluate", "run"):
        result = onespike(name, net_file, "--data", tmp_path / "d.npz")
        assert result.exit_code == 2 and "class numbers must be in [0, 9], got values in [8, " in result.stderr
