import numpy as np
import pytest
import torch

import loihi_onespike as los
from loihi_onespike.data import load_data
from loihi_onespike.models.digits_cnn import load_digits_cnn
from tests.support.models import inputs

PLAIN = ("--data", "digits", "--method", "paper", "--calibration-images", 32)
"""The cheapest conversion, where an option is looked at that has nothing to do with calibration."""


def test_document(document, tmp_path):
    out = tmp_path / "new folder" / "net.h5"
    found = document(
        "convert", "digits", "--data", "digits", "-o", out, "--timesteps", "8", "--base", "1.5",
        "--method", "paper",
    )  # fmt: skip
    assert found["file"] == str(out) and out.stat().st_size == found["bytes"]
    assert (found["timesteps"], found["period_steps"], found["neurons"]) == (8, 16, 2432)
    assert found["options"]["timesteps"] == 8 and found["options"]["base"] == 1.5
    assert found["calibration_images"] == 512 and found["data"] == "digits"
    names = [layer["name"] for layer in found["layers"]]
    assert names == ["input", "relu1", "relu2", "max_pool", "relu3", "classifier"]
    assert all(layer["v_bits"] <= 24 for layer in found["layers"][1:])
    assert found["rewrites"] and los.load(out).period_steps == 16


def test_table(onespike, tmp_path):
    arguments = ("--data", "digits", "--calibration-images", 32, "-o", tmp_path / "net.h5")
    result = onespike("convert", "digits", *arguments)
    assert result.exit_code == 0
    for word in ("relu2", "16 × 8 × 8", "1024", "v bits of 24", "latency", "period", "Rewritten", "net.h5"):
        assert word in result.stdout
    assert "quantize: 5/5" in result.stderr and "quantize: 5/5" not in result.stdout
    assert not any(line != line.rstrip() for line in result.stdout.splitlines())


@pytest.mark.parametrize(
    ("option", "value", "name"),
    [("--weight-bits", 4, "weight_bits"), ("--input-code", "single", "input_code"), ("--normalization", "layer", None)],
)
def test_options_reach_the_conversion(document, tmp_path, option, value, name):
    found = document("convert", "digits", *PLAIN, "-o", tmp_path / "n.h5", option, value)
    assert found["options"][name or option[2:]] == value


@pytest.mark.parametrize(("given", "bits"), [((), 0), (("--payload-bits", "auto"), 0), (("--payload-bits", "0"), 0)])
def test_the_payload_of_a_network_without_depthwise_convolutions(document, tmp_path, given, bits):
    found = document("convert", "digits", *PLAIN, "-o", tmp_path / "n.h5", *given)
    assert found["options"]["payload_bits"] == bits


def test_the_payload_of_a_depthwise_network(document, tmp_path):
    """By default two bits, and a line that says so; 0 turns them off."""
    np.savez(tmp_path / "d.npz", x=inputs(16).numpy())
    (tmp_path / "model.py").write_text(
        "from tests.support.models import make\n\n\ndef build():\n    return make('depthwise')\n"
    )
    arguments = ("convert", f"{tmp_path}/model.py:build", "--data", tmp_path / "d.npz", "-o", tmp_path / "n.h5")
    found = [document(*arguments, "--timesteps", 4, *more) for more in ((), ("--payload-bits", "0"))]
    assert [each["options"]["payload_bits"] for each in found] == [2, 0]
    said = [any("payload_bits=0 turns payload off" in line for line in each["rewrites"]) for each in found]
    assert said == [True, False]


def test_a_payload_out_of_range(onespike, tmp_path):
    result = onespike("convert", "digits", *PLAIN, "-o", tmp_path / "n.h5", "--payload-bits", "5")
    assert result.exit_code == 2 and "--payload-bits: must be 'auto' or an integer in [0, 4], got 5" in result.stderr


def test_floor_instead_of_nearest(document, tmp_path):
    found = document("convert", "digits", *PLAIN, "-o", tmp_path / "n.h5", "--no-threshold-shift")
    assert found["options"]["threshold_shift"] is False


def test_own_model_weights_and_data(onespike, document, tmp_path):
    """A file with a class, weights from a checkpoint, data from an .npz: what most users have."""
    (tmp_path / "model.py").write_text("from loihi_onespike.models.digits_cnn import DigitsCNN as Net\n")
    torch.save({"state_dict": {f"module.{k}": v for k, v in load_digits_cnn().state_dict().items()}}, tmp_path / "w.pt")
    data = load_data("digits")
    np.savez(tmp_path / "d.npz", x=data.images[:100], y=data.labels[:100], x_calibration=data.calibration)
    model = ("--weights", tmp_path / "w.pt", "--data", tmp_path / "d.npz", "--method", "paper")
    result = onespike("convert", f"{tmp_path}/model.py:Net", *model, "-o", tmp_path / "net.h5")
    assert result.exit_code == 0 and "prefix 'module.' removed" in result.stderr
    found = document("evaluate", f"{tmp_path}/model.py:Net", *model)
    assert found["images"] == 100 and found["agreement"]["value"] >= 0.98


def test_the_method_is_chosen_part_by_part(onespike, document, tmp_path):
    out = tmp_path / "net.h5"
    arguments = ("convert", "digits", "--data", "digits", "-o", out, "--calibration-images", 32)
    paper = document(*arguments, "--method", "paper")["options"]["method"]
    assert not any(paper.values())
    made = document(*arguments, "--without", "bias", "--without", "two_sided")["options"]["method"]
    assert {name for name, on in made.items() if not on} == {"bias", "two_sided"}
    assert "calibrated without two_sided, bias" in onespike("inspect", out).stdout


def test_methods_that_do_not_exist(onespike, tmp_path):
    arguments = ("convert", "digits", "--data", "digits", "-o", tmp_path / "net.h5")
    for more, said in (
        (("--method", "best"), "--method: must be one of calibrated, paper, got 'best'"),
        (("--without", "biases"), "--without: must be one of levels"),
        (
            ("--method", "paper", "--without", "bias"),
            "--without: requires --method calibrated, got bias",
        ),
    ):
        result = onespike(*arguments, *more)
        assert result.exit_code == 2 and said in result.stderr
