import signal

import pytest

from loihi_onespike.analysis.tuning.limits import NetworkFigures
from loihi_onespike.analysis.tuning.task import Task
from loihi_onespike.evaluation import Accuracy

ARGUMENTS = ("tune", "digits", "--data", "digits", "--method", "paper", "--input-bits", "5")
SMALL = ("--calibration-images", "32", "--search-images", "40", "--held-out-images", "50")
SPACE = ("--timesteps", "4", "--timesteps", "8", "--trials", "4")


@pytest.mark.thorough
def test_document_study_and_picture(onespike, document, tmp_path):
    study, picture = tmp_path / "s.db", tmp_path / "front.png"
    asked = (*ARGUMENTS, *SMALL, *SPACE, "--study", study, "--max-latency", "60", "--plot", picture)
    found = document(*asked)
    assert found["kept"] and found["limits"]["latency_steps"] == 60 and len(found["tried"]) == 4
    point = found["points"][0]
    assert point["held_out"]["accuracy"]["total"] == 50 and point["search"]["accuracy"]["total"] == 40
    assert point["setting"]["two_sided"] is False
    assert found["images"]["held_out"]["images"] == 50 and found["images"]["search"]["positions_sha256"]
    assert picture.read_bytes().startswith(b"\x89PNG")
    again = onespike(*asked)
    assert again.exit_code == 0 and "search" not in again.stderr  # nothing is tried again
    assert "points keep the limits" in again.stdout and "drawn by seed 0" in again.stdout
    more = onespike(*asked, "--trials", "5")
    assert next(line for line in more.stderr.splitlines() if line.startswith("search")).startswith("search 5/5: T=")
    assert "/min, 0:00 left)" in more.stderr or "/s, 0:00 left)" in more.stderr


def test_limits_that_cannot_be_kept(onespike):
    done = onespike(*ARGUMENTS, *SMALL, *SPACE, "--max-latency", "3")
    assert done.exit_code == 1
    assert "no setting keeps all limits; nearest: T=4" in done.stdout and "limit 3" in done.stdout


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--max-latency", "0"), "latency_steps: must be a limit above 0, got 0"),
        (("--study", "s.txt"), "got '.txt'"),
        (("--without", "bias"), "--without: requires --method calibrated, got bias with --method paper"),
    ],
)
def test_what_cannot_be_used_is_said(onespike, more, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = onespike(*ARGUMENTS, *SMALL, *more)
    assert done.exit_code == 2 and said in done.stderr


def test_ctrl_c_shows_the_front_so_far(onespike, tmp_path, monkeypatch):
    figures = [
        NetworkFigures(Accuracy(right, 40), Accuracy(40, 40), 30 + right, 20, 0.5, 1e3, 4.0) for right in (38, 39)
    ]

    def measured(task, setting, part):
        if not figures:
            signal.raise_signal(signal.SIGINT)
        return figures.pop()

    monkeypatch.setattr(Task, "measure", measured)
    monkeypatch.setattr(Task, "may_be_two_sided", False)
    study = tmp_path / "s.db"
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background ignores it
    try:
        done = onespike(*ARGUMENTS, *SMALL, "--study", study)
    finally:
        signal.signal(signal.SIGINT, before)
    assert done.exit_code == 130
    assert f"2 of 60 trials are finished in {study}; run the same command again to continue" in done.stderr
    assert "Pareto front so far, on the search images" in done.stdout
    assert [line.split()[4:6] for line in done.stdout.splitlines()[3:5]] == [["+5.00", "68"], ["+2.50", "69"]]
