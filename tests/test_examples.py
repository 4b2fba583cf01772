"""The examples run as they are written."""

import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_convert_your_model(tmp_path):
    script = EXAMPLES / "convert_your_model.py"
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "one-spike 9" in done.stdout and (tmp_path / "net.h5").exists()
    again = subprocess.run(
        [sys.executable, script, "data.npz", "weights.pt"], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert again.stdout == done.stdout
