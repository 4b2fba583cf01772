"""A whole run from one file: made once, continued, and made again where something changed."""

import json
from typing import Any

import numpy as np
import pytest

import netx_export
from loihi_onespike.cli.arguments.run_config import read_config
from loihi_onespike.cli.execution.build_run import BuildRun
from loihi_onespike.data.digits import load_digits_data

MODEL = """
from loihi_onespike.models.digits_cnn import load_digits_cnn as build
"""


@pytest.fixture
def project(onespike, tmp_path):
    """A folder with a model, data and the file that init writes for them, with settings that take little time."""
    (tmp_path / "model.py").write_text(MODEL)
    found = load_digits_data(32)
    np.savez(tmp_path / "calibration.npz", x=found.calibration)
    np.savez(tmp_path / "test.npz", x=found.images[:40], y=found.labels[:40])
    path = tmp_path / "onespike.toml"
    asked = ("--data", tmp_path / "calibration.npz", "-o", path)
    done = onespike("init", f"{tmp_path}/model.py:build", *asked)
    assert done.exit_code == 0 and "(N, 1, H, W), told by its first layer conv1" in done.stdout
    assert "calibration.npz has no labels" in done.stderr
    assert onespike("init", "digits", *asked).exit_code == 2
    text = path.read_text().replace('# test = "test.npz"', 'test = "test.npz"').replace("images = 100", "images = 20")
    path.write_text(text.replace('# method = "calibrated"', 'method = "paper"'))
    return path


def states(result):
    return {name: step["state"] for name, step in result["steps"].items()}


def test_data_without_labels_are_told_before_the_conversion(onespike, project):
    project.write_text(project.read_text().replace('test = "test.npz"', ""))
    done = onespike("build", project)
    assert done.exit_code == 2 and "name labelled data as `test` in [data]" in done.stderr
    assert not (project.parent / "onespike-run" / "net.h5").exists()


@pytest.mark.parametrize(
    ("board", "given", "bits"), [("oheo_gulch", "", "auto"), ("nahuku_32", "", 0), ("nahuku_32", "1", 1)]
)
def test_a_board_without_payload_leaves_it_out(onespike, project, board, given, bits):
    """Loihi 1 sends none; what the configuration says itself is not changed."""
    text = project.read_text().replace('board = "oheo_gulch"', f'board = "{board}"').replace('method = "paper"', "")
    if given:
        text = text.replace("[convert]", f"[convert]\npayload_bits = {given}")
    project.write_text(text)
    run = BuildRun(read_config(project), project.parent, None, lambda step: None)  # type: ignore[arg-type]
    assert run.resolved()["convert"]["payload_bits"] == bits


def test_run_change_and_continue(document, onespike, project, monkeypatch):
    made = document("build", project)
    folder = project.parent / "onespike-run"
    assert states(made) == dict.fromkeys(("convert", "evaluate", "map", "profile"), "made")
    evaluation = json.loads((folder / "evaluation.json").read_text())
    assert evaluation["images"] == 40 and evaluation["loss_pp"] is not None
    placed = json.loads((folder / "map.json").read_text())
    assert placed["fits"] and placed["notes"] == []
    config: Any = netx_export.read(folder / "net.h5").facts["config"]
    assert config["convert"]["timesteps"] == 16 and config["data"]["test"] == "test.npz"
    shown = onespike("inspect", folder / "net.h5").stdout
    assert "Configuration of the run" in shown and "model.source" in shown and "model.py:build" in shown

    again = onespike("build", project)
    assert again.exit_code == 0 and again.stderr.count("unchanged, not run again") == 4

    project.write_text(project.read_text().replace("images = 20", "images = 10"))
    only_counted = {"convert": "unchanged", "evaluate": "unchanged", "map": "unchanged", "profile": "to run"}
    assert states(document("build", project, "--dry-run")) == only_counted

    (folder / "net.h5").write_bytes(b"damaged")  # made again as it was, so that what follows from it stays
    with monkeypatch.context() as patch:
        patch.setattr(BuildRun, "_profile", interrupted)
        assert onespike("build", project).exit_code == 130
    assert states(document("build", project)) == dict.fromkeys(made["steps"], "unchanged") | {"profile": "made"}

    changed = project.read_text().replace("# timesteps = 16", "timesteps = 8")
    project.write_text(changed.replace("[map]", "[map]\nfill_chips = true"))
    assert states(document("build", project)) == dict.fromkeys(made["steps"], "made")
    filled = json.loads((folder / "map.json").read_text())
    assert filled["fits"] and filled["cores"] > placed["cores"] and "cores more" in filled["notes"][-1]
    assert json.loads((folder / "profile.json").read_text())["cores"] > placed["cores"]


def interrupted(run):
    raise KeyboardInterrupt


def test_a_network_that_does_not_fit(document, project):
    board = "loihi_1_small"
    text = (project.parent / "onespike.toml").read_text()
    project.write_text(text.replace('board = "oheo_gulch"', f'board = "{board}.toml"'))
    (project.parent / f"{board}.toml").write_text(
        'name = "Small"\nchip = "loihi_2"\npower_max_w = { status = "NF" }\nsteppings = { status = "NF" }\n'
        'chips = { value = 1, status = "C", source = "test" }\n'
        'usable_cores_per_chip = { value = 1, status = "C", source = "test" }\n'
        'chip_columns = { status = "NF" }\nchip_rows = { status = "NF" }\n'
    )
    made = document("build", project, exit_code=1)
    assert "does not fit on Small" in made["steps"]["map"]["summary"]


@pytest.mark.slow
def test_a_search_first(document, project):
    text = project.read_text()
    search = "[tune]\ntrials = 2\nsearch_images = 12\ntimesteps = [4]\n\n[convert]"
    text = text.replace('test = "test.npz"', "").replace('"calibration.npz"', '"test.npz"')
    project.write_text(
        text.replace("[convert]", search).replace("# calibration_images = 512", "calibration_images = 16")
    )
    made = document("build", project)
    assert list(made["steps"])[:2] == ["tune", "convert"]
    assert netx_export.read(project.parent / "onespike-run" / "net.h5").timesteps == 4
    assert states(document("build", project))["tune"] == "unchanged"
    tighter = project.read_text().replace("trials = 2", "trials = 2\nmax_latency = 3")
    project.write_text(tighter)
    failed = document("build", project, exit_code=1)
    assert list(failed["steps"]) == ["tune"] and "no setting keeps all limits" in failed["steps"]["tune"]["summary"]


def test_a_page_at_the_end(document, onespike, project, monkeypatch):
    project.write_text(project.read_text().replace("# [report]", "[report]\ndiagnose_images = 8\nshow_images = 1"))
    with monkeypatch.context() as patch:
        patch.setattr("importlib.util.find_spec", lambda name: None)
        done = onespike("build", project)
    assert (
        done.exit_code == 2 and 'pip install "loihi-onespike[report]"' in done.stderr and "running" not in done.stderr
    )
    pytest.importorskip("bokeh")
    assert states(document("build", project))["report"] == "made"
    assert "<html" in (project.parent / "onespike-run" / "report.html").read_text()[:200]
    assert states(document("build", project))["report"] == "unchanged"
