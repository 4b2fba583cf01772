"""The examples run as they are written."""

import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.slow
def test_report_digits(tmp_path):
    pytest.importorskip("bokeh", reason="Bokeh is not installed; it is in the extra `report`")
    script = EXAMPLES / "report_digits.py"
    done = subprocess.run(
        [sys.executable, script, "page.html"], cwd=tmp_path, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("page.html: 1.") and (tmp_path / "page.html").stat().st_size < 5_000_000
