"""The examples run as they are written."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import loihi_onespike as los
from loihi_onespike.executors.lava import available

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.thorough
def test_convert_your_model(tmp_path):
    script = EXAMPLES / "convert_your_model.py"
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "one-spike 9" in done.stdout and (tmp_path / "net.h5").exists()
    again = subprocess.run(
        [sys.executable, script, "data.npz", "weights.pt"], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert again.stdout == done.stdout


@pytest.mark.slow
def test_report_digits(tmp_path):
    pytest.importorskip("bokeh", reason="Bokeh is not installed; it is in the extra `report`")
    script = EXAMPLES / "report_digits.py"
    done = subprocess.run(
        [sys.executable, script, "page.html"], cwd=tmp_path, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("page.html: 1.") and (tmp_path / "page.html").stat().st_size < 5_000_000


@pytest.mark.slow
@pytest.mark.lava
@pytest.mark.skipif(not available(), reason="Lava is not installed")
def test_a_network_between_a_source_and_a_sink_of_ones_own(tmp_path):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 4)).eval()
    x = torch.rand(64, 1, 6, 6)
    net = los.convert(model, x, timesteps=6)
    net.save(tmp_path / "net.h5")
    np.savez(tmp_path / "images.npz", x=x[:3])
    (tmp_path / "program.py").write_text(
        "import numpy as np\nfrom lava_own_process import run\n"
        "if __name__ == '__main__':\n    np.save('outputs.npy', run('net.h5', np.load('images.npz')['x']))\n"
    )
    paths = os.pathsep.join([str(EXAMPLES), os.environ.get("PYTHONPATH", "")])
    subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, env={**os.environ, "PYTHONPATH": paths}, timeout=120, check=True
    )
    assert np.array_equal(np.load(tmp_path / "outputs.npy"), net.predict(x[:3]))
