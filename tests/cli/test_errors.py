"""What the commands say and return when something is wrong."""

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from typer.testing import CliRunner

from loihi_onespike.cli.app import app
from tests.cli.conftest import MAIN


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("inspect", "nowhere.h5"), "nowhere.h5: no such file"),
        (("run", "nowhere.h5", "--data", "digits"), "nowhere.h5: no such file"),
        (("evaluate", "nowhere.h5", "--data", "digits"), "nowhere.h5: no such file"),
        (("evaluate", "digits", "--data", "digit"), "got 'digit'"),
        (("evaluate", "digits", "--data", "digits", "--model", "digits"), "--model: only valid with a NET.h5"),
        (("evaluate", "digits", "--data", "digits", "--executor", "slow"), "--executor: must be fast, float"),
        (("evaluate", "digits", "--data", "digits", "--base", "big"), "--base: must be 'auto' or a number in (1, 4]"),
        (("evaluate", "digits", "--data", "digits", "--base", "7"), "in (1, 4], got 7"),
        (("evaluate", "digits", "--data", "digits", "--wait", "17"), "in [1, 16] (the timesteps), got 17"),
        (("evaluate", "digits", "--data", "digits", "--input-code", "gray"), "--input-code: must be one of auto"),
        (("evaluate", "digits", "--data", "digits", "--resize", "4"), "apply to pictures"),
        (("convert", "model", "--data", "digits", "-o", "out.h5"), "model: must be digits, digits-vit, file.py"),
        (("demo", "--images", "590", "--stream-images", "10"), "must be at most 599 together"),
    ],
)
def test_one_message_and_status_2(onespike, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    result = onespike(*arguments)
    assert result.exit_code == 2 and result.stdout == ""
    assert said in result.stderr and "Traceback" not in result.stderr
    assert result.stderr.splitlines()[-1].startswith("onespike: ")


CHEAP = [
    (("convert", "nowhere.py:build", "--data", "digits", "-o", "net.h5"), "nowhere.py: no such file"),
    (("convert", "net.py", "--data", "digits", "-o", "net.h5"), "such as net.py:build"),
    (("convert", "w.pt", "--data", "digits", "-o", "net.h5"), "give this file with --weights"),
    (("deploy", "nowhere.h5", "--data", "digits"), "--board: must name what the network runs on; one of hala_point"),
    (("convert", "nowhere.onnx", "--data", "digits", "-o", "net.h5"), "nowhere.onnx: no such file"),
    (("convert", "digits", "--data", "nowhere.npz", "-o", "net.h5"), "nowhere.npz: no such file"),
    (("convert", "digits", "--data", "digits", "-o", "net.h5", "--timesteps", "0"), "--timesteps: must be an integer"),
    (("evaluate", "digits", "--data", "digits", "--weights", "nowhere.pt"), "nowhere.pt: no such weights file"),
    (("tune", "nowhere.py:build", "--data", "digits"), "nowhere.py: no such file"),
    (("diagnose", "digits", "--data", "nowhere.npz"), "nowhere.npz: no such file"),
    (("tune", "digits", "--data", "unlabelled.npz"), "unlabelled.npz: must hold labels, the array y, got none"),
    (("run", "nowhere.h5", "--data", "digits"), "nowhere.h5: no such file"),
    (("map", "nowhere.h5"), "nowhere.h5: no such file"),
]
"""Mistakes that need neither torch nor Lava to be found."""

TRY_ALL = """
import json, sys
from typer.testing import CliRunner
from loihi_onespike.cli.app import app
said = [CliRunner().invoke(app, arguments).output for arguments in json.loads(sys.argv[1])]
print(json.dumps([said, [m for m in ("torch", "lava", "scipy") if m in sys.modules]]))
"""


def test_cheap_mistakes_are_found_before_anything_large_is_imported(tmp_path):
    np.savez(tmp_path / "unlabelled.npz", x=np.zeros((2, 1, 8, 8)))
    command = [sys.executable, "-c", TRY_ALL, json.dumps([arguments for arguments, _ in CHEAP])]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
    said, loaded = json.loads(done.stdout)
    assert loaded == []
    for text, (_, wanted) in zip(said, CHEAP, strict=True):
        assert wanted in text and "Traceback" not in text
    assert [path.name for path in tmp_path.iterdir()] == ["unlabelled.npz"]


def test_the_error_is_the_document(document):
    found = document("inspect", "nowhere.h5", exit_code=2)
    assert found["error"]["type"] == "DataError" and "no such file" in found["error"]["message"]


def test_debug_shows_the_place(onespike):
    result = onespike("inspect", "nowhere.h5", "--debug")
    assert result.exit_code == 2 and "Traceback" in result.stderr and "DataError" in result.stderr


def test_options_of_the_conversion_beside_a_file(onespike, net_file):
    result = onespike("evaluate", net_file, "--data", "digits", "--timesteps", "16", "--weight-bits", "4")
    assert result.exit_code == 2 and "--timesteps, --weight-bits: not valid with" in result.stderr


def test_damaged_file(onespike, net_file, tmp_path):
    path = tmp_path / "net.h5"
    path.write_bytes(net_file.read_bytes()[:-2000])
    result = onespike("inspect", path)
    assert result.exit_code == 2 and "net.h5" in result.stderr


def test_the_file_to_write_is_looked_at_first(onespike, tmp_path):
    (tmp_path / "file").touch()
    result = onespike("convert", "digits", "--data", "digits", "-o", tmp_path / "file" / "net.h5")
    assert result.exit_code == 2 and "cannot be created" in result.stderr
    result = onespike("convert", "digits", "--data", "digits", "-o", tmp_path)
    assert result.exit_code == 2 and "is a folder" in result.stderr


def test_defects_keep_their_traceback(monkeypatch):
    monkeypatch.setattr("loihi_onespike.cli.arguments.inputs.existing", lambda path: 1 / 0)
    result = CliRunner().invoke(app, ["inspect", "net.h5"])
    assert isinstance(result.exception, ZeroDivisionError)


def test_interrupt(monkeypatch):
    def interrupt(path):
        raise KeyboardInterrupt

    monkeypatch.setattr("loihi_onespike.cli.arguments.inputs.existing", interrupt)
    result = CliRunner().invoke(app, ["inspect", "net.h5"])
    assert result.exit_code == 130 and "interrupted" in result.stderr


def test_unsupported_models_list_everything(onespike, tmp_path):
    (tmp_path / "model.py").write_text(
        "from torch import nn\n"
        "def build():\n"
        "    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.Softsign(), nn.Conv2d(4, 4, 3), nn.Softsign(), nn.Flatten(),\n"
        "                         nn.Linear(64, 10))\n"
    )
    result = onespike("convert", f"{tmp_path}/model.py:build", "--data", "digits", "-o", tmp_path / "net.h5")
    assert result.exit_code == 2 and "2 operations have no one-spike form" in result.stderr
    assert not (tmp_path / "net.h5").exists()


@pytest.mark.thorough
def test_what_a_model_prints_does_not_spoil_the_document(process, tmp_path):
    (tmp_path / "model.py").write_text(
        "from loihi_onespike.models.digits_cnn import load_digits_cnn\n"
        "print('loading')\n"
        "def build():\n"
        "    print('building')\n"
        "    return load_digits_cnn()\n"
    )
    arguments = ("convert", f"{tmp_path}/model.py:build", "--data", "digits", "-o", tmp_path / "net.h5", "--json")
    done = process(*arguments, "--method", "paper")
    assert done.returncode == 0 and json.loads(done.stdout)["timesteps"] == 16
    assert "loading\nbuilding" in done.stderr


@pytest.mark.thorough
def test_ctrl_c_in_a_process(tmp_path):
    (tmp_path / "model.py").write_text(
        "import time\ndef build():\n    print('started', flush=True)\n    time.sleep(60)\n"
    )
    arguments = ["convert", f"{tmp_path}/model.py:build", "--data", "digits", "-o", str(tmp_path / "net.h5")]
    child = subprocess.Popen(
        [sys.executable, "-c", MAIN, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdout is not None and child.stdout.readline() == "started\n"
    time.sleep(0.2)
    child.send_signal(signal.SIGINT)
    _, stderr = child.communicate(timeout=30)
    assert child.returncode == 130 and "interrupted" in stderr and "Traceback" not in stderr
