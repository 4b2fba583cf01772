"""Everything but the board."""

import json
from dataclasses import replace

import pytest

from loihi_onespike.boards.deployment import DeploymentOptions, deploy, deployment
from loihi_onespike.boards.energy.activity import Activity
from loihi_onespike.boards.specification import load_board
from loihi_onespike.errors import ConfigurationError, DeploymentError
from loihi_onespike.executors import lava as lava_backend
from loihi_onespike.executors import reference
from tests.boards.mapping.boards import narrow
from tests.support.lava_networks import chain, codes

NETWORK = chain(4, 4)
CODES = codes(NETWORK, 2)
BARE = DeploymentOptions(dry_run=True, skip_bringup=True)


@pytest.mark.lava
def test_the_graph_runs_on_the_cpu_backend(tmp_path):
    report = deploy(NETWORK, CODES, "oheo_gulch", DeploymentOptions(dry_run=True, timeout_s=100, skip_bringup=True))
    assert report.comparison is not None and report.comparison.equal and not report.failed
    assert report.comparison.populations == ("input", "conv1", "max1", "conv2", "mean2")
    assert report.measurement is None and all(measured is None for _, _, measured in report.rows())
    document, text = report.write(tmp_path / "report.txt")
    assert (document.name, text.name) == ("report.json", "report.md")
    found = json.loads(document.read_text())
    assert found["dry_run"] and found["estimate"]["energy_per_image"][0]["dynamic"]["value"] is None
    for words in (
        "no board was touched",
        "| lava-loihi | not needed here |",
        "not measured",
        "every spike and every output is equal",
        "left out (--skip-bringup)",
    ):
        assert words in text.read_text()


@pytest.mark.thorough
def test_the_bring_up_is_rehearsed_on_the_stand_in(monkeypatch, tmp_path):
    monkeypatch.setattr(lava_backend, "why_unavailable", lambda: "not here")
    report = deploy(NETWORK, CODES, "oheo_gulch", DeploymentOptions(dry_run=True, handover=tmp_path / "h"))
    assert report.bringup is not None and report.bringup.equal and not report.failed
    assert report.bringup.where == "the stand-in board"
    assert "13 networks on the stand-in board: every spike and potential of every step is equal" in report.markdown()
    assert (tmp_path / "h" / "README.md").is_file() and (tmp_path / "h" / "bringup" / "01-relay").is_dir()
    assert report.to_dict()["handover"] == str(tmp_path / "h")
    programs = [c for c in report.checks if c.name == "bring-up programs"]
    assert programs and programs[0].failed and "--skip-bringup" in programs[0].remedy


def test_without_lava_the_rest_is_done(monkeypatch):
    monkeypatch.setattr(lava_backend, "why_unavailable", lambda: "Lava is not installed; install it")
    report = deploy(NETWORK, CODES, "oheo_gulch", DeploymentOptions(dry_run=True, skip_bringup=True))
    assert report.comparison is None and "Lava is not installed" in report.not_run and not report.failed
    assert "Nothing ran: Lava is not installed" in report.markdown()


def test_idle_cores_are_used_where_asked(monkeypatch):
    monkeypatch.setattr(lava_backend, "why_unavailable", lambda: "not here")
    plain = deploy(NETWORK, CODES, "oheo_gulch", BARE)
    board = load_board("oheo_gulch")
    timing = replace(board.chip.timing, barrier_max_ns=replace(board.chip.timing.barrier_max_ns, value=0.0))
    quick = replace(board, chip=replace(board.chip, timing=timing))
    filled = deploy(NETWORK, CODES, quick, replace(BARE, fill_chips=True))
    assert filled.estimate.cores > plain.estimate.cores and filled.estimate.chips == plain.estimate.chips
    assert not filled.failed


def test_a_network_that_does_not_fit_fails(monkeypatch):
    monkeypatch.setattr(lava_backend, "why_unavailable", lambda: "not here")
    report = deploy(NETWORK, CODES, narrow("oheo_gulch", cores_per_chip=3), BARE)
    assert report.failed and any("does not fit" in note for note in report.estimate.notes)


def test_the_estimate_takes_more_images_than_are_run(monkeypatch):
    monkeypatch.setattr(lava_backend, "why_unavailable", lambda: "not here")
    counted = Activity.of(NETWORK, reference.run(NETWORK, codes(NETWORK, 5, seed=1)).layers)
    report = deploy(NETWORK, CODES, "oheo_gulch", BARE, activity=counted)
    assert report.estimate.images == 5


@pytest.mark.lava
def test_without_lava_loihi_one_line_says_so():
    with pytest.raises(DeploymentError, match=r"lava-loihi is not installed.*--dry-run") as error:
        deploy(NETWORK, CODES, "oheo_gulch")
    assert "\n" not in str(error.value)


def test_nothing_long_is_done_before_that(monkeypatch):
    monkeypatch.setattr(deployment.reference, "run", lambda *_: pytest.fail("the oracle ran"))
    with pytest.raises(DeploymentError):
        deploy(NETWORK, CODES, "oheo_gulch")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"stepping": "N9"}, "must be one of N2A2"),
        ({"input_delay": -1}, r"input delay: must be in \[0, 8\] steps \(a period\), got -1"),
        ({"output_delay": 99}, r"must be in \[0, 8\] steps"),
        ({"profile_steps": 7}, "one image"),
        ({"compute_only": True}, "--profile"),
        ({"spikes_of": ("conv1", "conv9")}, "must be among conv1, max1.*got conv9"),
    ],
)
def test_options(options, words):
    with pytest.raises(ConfigurationError, match=words):
        deploy(NETWORK, CODES, "oheo_gulch", DeploymentOptions(dry_run=True, **options))
