import json

import pytest

from loihi_onespike.boards.deployment.backends.registry import BACKENDS
from loihi_onespike.cli.arguments.board_access import BoardAccess


@pytest.mark.lava
def test_without_lava_loihi(onespike, net_file):
    result = onespike("deploy", net_file, "--data", "digits", "--board", "oheo_gulch")
    assert result.exit_code == 2 and result.stdout == ""
    assert result.stderr.count("\n") == 1 and "lava-loihi" in result.stderr and "--dry-run" in result.stderr


@pytest.mark.thorough
@pytest.mark.lava
def test_dry_run(onespike, net_file, tmp_path):
    arguments = ("deploy", net_file, "--data", "digits", "--board", "oheo_gulch", "--dry-run", "--images", "1")
    result = onespike(
        *arguments, "--counted-images", "8", "-o", tmp_path / "new" / "report", "--handover", tmp_path / "h"
    )
    assert result.exit_code == 0, result.stderr
    text = " ".join(result.stdout.split())
    for words in (
        "no board was touched",
        "lava-loihi: not needed here not installed; for a board:",
        "every spike and output equal",
        "not measured",
    ):
        assert words in text
    assert "13 networks on the stand-in board: every spike and potential" in text and f"Hand-over: {tmp_path}" in text
    assert "DigitsCNN" in (tmp_path / "h" / "README.md").read_text()
    assert json.loads((tmp_path / "new" / "report.json").read_text())["estimate"]["images"] == 8
    assert (tmp_path / "new" / "report.md").read_text().startswith("# DigitsCNN on Oheo Gulch")


def test_a_job_array_hands_nothing_over(document, net_file, tmp_path):
    arguments = ("--data", "digits", "--board", "oheo_gulch", "--slurm", "2", "--handover", tmp_path / "h")
    found = document("deploy", net_file, *arguments, exit_code=2)
    assert "--handover: not valid with --slurm" in found["error"]["message"]


def test_the_board_must_be_named(document, net_file):
    found = document("deploy", net_file, "--data", "digits", "--dry-run", exit_code=2)
    assert all(name in found["error"]["message"] for name in ("--board", "oheo_gulch", "kapoho_point", ".toml"))


def test_two_ways_to_a_board(document, net_file):
    arguments = ("--data", "digits", "--board", "oheo_gulch", "--host", "192.0.2.1", "--partition", "kp")
    found = document("deploy", net_file, *arguments, exit_code=2)
    assert found["error"]["type"] == "ConfigurationError" and "--partition" in found["error"]["message"]


def test_help_lists_the_backends(onespike):
    for command in ("deploy", "bringup"):
        text = " ".join(onespike(command, "--help").stdout.replace("│", " ").split())
        assert all(f"{entry.name} is {entry.summary}" in text for entry in BACKENDS)
    assert BoardAccess.backend == BACKENDS[0].name
