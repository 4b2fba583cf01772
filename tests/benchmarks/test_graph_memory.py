"""Memory grows with the non-zeros, never with nodes times nodes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def measured(nodes: int, non_zeros: int) -> dict:
    command = [sys.executable, "-m", "benchmarks.graph_memory", "--hidden", "16"]
    command += ["--nodes", str(nodes), "--non-zeros", str(non_zeros)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout)


@pytest.mark.slow
def test_whole_graph_in_bounded_memory():
    report = measured(20_000, 1_000_000)
    peak = report["peak_mib"]
    # One dense int8 array of nodes × nodes alone would take 381 MiB, one of float32 1,526 MiB.
    assert peak["float"] - peak["ann"] < 380
    assert report["agreement_float"] > 0.9
