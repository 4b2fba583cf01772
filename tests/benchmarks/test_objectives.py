"""The curve of loss over α, period and energy: which points are left, table and picture, and a run of processes."""

from __future__ import annotations

import json
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.objectives import GRAPH_SETTINGS, SETTINGS, draw, named, table, wanted
from loihi_onespike.conversion.options import ConversionOptions

ROOT = Path(__file__).parents[2]
LINE = {
    "network": "a", "options": SETTINGS[0], "images": 1000, "loss_pp": 0.25, "agreement": 97.5, "spikes": 0.5,
    "alpha_fp32": 6.0, "alpha_all_fp32": 5.0, "timesteps": 4, "payload_bits": 3, "period_steps": 8,
    "energy_nj": 250_000, "total_nj": 312_000,
}  # fmt: skip
MODEL = """
import numpy as np
import torch
from torch import nn


def load():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3)).eval()


def normalise(x):
    return torch.from_numpy(x).float() / 255
"""


@pytest.mark.parametrize("settings", [SETTINGS, GRAPH_SETTINGS])
def test_there_are_a_dozen_settings_and_convert_takes_them(settings: tuple[dict[str, object], ...]) -> None:
    assert len(settings) >= 12
    assert len({json.dumps(s, sort_keys=True) for s in settings}) == len(settings)
    for setting in settings:
        ConversionOptions(**setting)  # type: ignore[arg-type]


def test_measured_points_are_left_out_and_networks_take_turns() -> None:
    args = Namespace(network=["a=x/net", "net"], graph=[], points=2, settings=None)
    assert [(p.network, p.options) for p in wanted(args, [LINE])] == [
        ("net", SETTINGS[0]), ("a", SETTINGS[1]), ("net", SETTINGS[1])
    ]  # fmt: skip
    assert named("a=x/net") == ("a", Path("x/net")) and named("x/net") == ("net", Path("x/net"))


def test_table_and_picture(tmp_path: Path) -> None:
    assert "| a | 1,000 | `timesteps=2, " in table([LINE]) and "| 6.00 (5.00) | 8 | 250 | 312 |" in table([LINE])
    assert "| – (5.00) | 8 |" in table([{k: v for k, v in LINE.items() if k != "alpha_fp32"}])
    graph = {name: value for name, value in LINE.items() if name != "total_nj"} | {"network": "b"}
    draw([LINE, graph], tmp_path / "curve.png")
    assert (tmp_path / "curve.png").stat().st_size > 10_000


@pytest.mark.slow
def test_points_are_measured_by_processes_and_kept(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(MODEL)
    x, y = np.random.default_rng(0).integers(0, 256, (40, 3, 6, 6), np.uint8), np.arange(40) % 3
    np.savez(tmp_path / "d.npz", x=x, y=y)
    command: list[str | Path] = [
        sys.executable, "-m", "benchmarks.objectives", "--network", f"a={tmp_path}", "--jobs", "2", "--points", "2",
        *("--images", tmp_path / "d.npz", "--calibration", tmp_path / "d.npz", "--results", tmp_path / "r.jsonl"),
    ]  # fmt: skip
    for budget in ("0.01", "300"):
        subprocess.run([*command, "--time-budget", budget], check=True, cwd=ROOT)
    lines = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert {json.dumps(line["options"]) for line in lines} == {json.dumps(s) for s in SETTINGS[:2]}
    assert all(line["images"] == 40 and line["dynamic_nj"] < line["total_nj"] for line in lines)
