"""`onespike deploy` as a shell starts it, where lava-loihi is found."""

import json
import subprocess
import sys

import numpy as np
import pytest

pytestmark = pytest.mark.lava
MAIN = "from loihi_onespike.cli import main; main()"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "d.npz"
    x = np.random.default_rng(3).random((6, 1, 8, 8)).astype(np.float32)
    np.savez(path, x=x, y=np.arange(6) % 5)
    return path


@pytest.mark.thorough
def test_on_the_board(chain_file, data, programs, environment, tmp_path):
    command = [sys.executable, "-c", MAIN, "deploy", chain_file, "--data", data, "--board", "oheo_gulch", "--json"]
    command += ["--program", programs, "--partition", "oheogulch", "--images", "2", "--counted-images", "6"]
    command += [
        "--profile",
        "--steps",
        "40",
        "--spikes-of",
        "conv2",
        "--timeout",
        "100",
        "--skip-bringup",
        "-o",
        tmp_path / "report.md",
    ]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["comparison"]["equal"] and found["comparison"]["populations"] == ["conv2"]
    assert found["comparison"]["images"] == 2 and found["estimate"]["images"] == 6
    assert found["measurement"]["steps"] == 40 and not found["measurement"]["compute_only"]
    assert json.loads((tmp_path / "report.json").read_text())["measurement"] == found["measurement"]


@pytest.mark.slow
def test_another_partition(chain_file, data, programs, environment):
    command = [sys.executable, "-c", MAIN, "deploy", chain_file, "--data", data, "--board", "oheo_gulch"]
    command += ["--program", programs, "--partition", "nahuku"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 2 and done.stdout == ""
    assert "no partition nahuku; its partitions: kp, oheogulch" in done.stderr
