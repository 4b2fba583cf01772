"""Long runs keep their memory flat and their results right, in a shorter form than that of the benchmark."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.load import Memory
from loihi_onespike.executors.lava import why_unavailable

ROOT = Path(__file__).parents[2]
GROWTH_MIB = 64


def report(case: str, images: int) -> dict:
    command = [sys.executable, "-m", "benchmarks.load", "--case", case, "--images", str(images)]
    said = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    return json.loads(said.splitlines()[-1])


def test_growth_is_that_behind_the_second_quarter() -> None:
    memory = Memory()
    memory.samples = [(0.0, 10.0), (2.0, 90.0), (2.9, 50.0), (4.0, 95.0), (6.0, 60.0), (7.9, 97.0), (8.0, 97.0)]
    assert memory.report() == {"seconds": 8.0, "peak_mib": 97, "growth_mib": 7}


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("case", "images", "right"),
    [
        ("evaluation", 3000, lambda found: found["correct"] > 0.98 * 3000),
        ("stream", 100, lambda found: found["differing_spikes"] == 0),
        ("deep", 20, lambda found: found["layers"] == 150 and found["fast_equals_oracle"]),
        ("graph", 6, lambda found: found["always_the_same"]),
    ],
)
def test_load(case: str, images: int, right) -> None:
    if case == "stream" and why_unavailable() is not None:
        pytest.skip("Lava is not installed")
    found = report(case, images)
    assert right(found), found
    assert case == "deep" or found["growth_mib"] < GROWTH_MIB, found
