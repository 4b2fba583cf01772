import numpy as np
import pytest

import loihi_onespike as los
from loihi_onespike.data import load_data


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
    found = document("evaluate", "digits", "--data", "digits", "--timesteps", "8", "--wait", "4", "--executor", "float")
    assert found["executor"] == "float" and found["period_steps"] == 12 and found["ann_accuracy"]["total"] == 599


def test_text(onespike, net_file):
    result = onespike("evaluate", net_file, "--data", "digits", "--images", "20", "--model", "digits")
    for word in ("20 images", "one-spike accuracy", "percentage points", "α FP32, INT8", "Spikes per neuron"):
        assert word in result.stdout


@pytest.fixture(scope="module")
def firing_share(net_file):
    """Share of the neurons of relu3 that fire, by the oracle, on the 12 images that --images 12 takes."""
    phases = los.load(net_file).trace(load_data("digits").take(12).images, "reference").layers["relu3"].phases
    return float(np.mean(phases != 0))


@pytest.mark.parametrize("executor", ["reference", "fast"])
def test_executors_agree(document, net_file, firing_share, executor):
    found = document("evaluate", net_file, "--data", "digits", "--images", "12", "--executor", executor)
    assert found["spikes_per_neuron"]["relu3"] == pytest.approx(firing_share, abs=1e-12)


def test_calibrating_with_what_is_evaluated_is_remarked(onespike, tmp_path):
    data = load_data("digits").take(40)
    np.savez(tmp_path / "d.npz", x=data.images, y=data.labels)
    result = onespike("evaluate", "digits", "--data", tmp_path / "d.npz")
    assert "calibration images are among those that are evaluated" in result.stderr
