"""`tune --slurm` and `deploy --slurm`, with processes of this machine in place of SLURM's jobs."""

import json
from typing import Any

import pytest

from loihi_onespike.cli.arguments.job_options import JobArray
from loihi_onespike.cli.execution.deploy_array import Run, runs_of
from loihi_onespike.errors import ConfigurationError

TUNE = ("tune", "digits", "--data", "digits", "--method", "paper", "--input-bits", "5", "--calibration-images", "32")
SMALL = ("--search-images", "40", "--held-out-images", "50", "--timesteps", "4", "--trials", "3")


@pytest.fixture
def jobs(monkeypatch):
    """Jobs that would be submitted; nothing runs, and none fails."""
    seen = []

    def run(array, submitted, look, accepted=(0,)):
        look(0, len(submitted))
        seen.extend(submitted)
        return None if array.detach else []

    monkeypatch.setattr(JobArray, "run", run)
    monkeypatch.setattr(JobArray, "require", lambda array: array.slurm is not None)
    return seen


def test_tune_needs_a_journal(onespike, tmp_path, jobs):
    done = onespike(*TUNE, *SMALL, "--slurm", "2", "--study", tmp_path / "s.db")
    assert done.exit_code == 2 and "requires a --study that is a journal (.journal, .log), which all" in done.stderr
    assert jobs == []


def test_jobs_of_tune_share_the_study(onespike, document, tmp_path, jobs):
    """The jobs run the command itself without a front; then the command finds all trials made."""
    study = tmp_path / "s.journal"
    asked = (*TUNE, *SMALL, "--study", study)
    onespike(*asked, "--slurm", "2", "--detach", "--plot", tmp_path / "p.png")
    assert len(jobs) == 2
    assert jobs[0].arguments[-5:] == ("--search-only", "--shared", "--json", "--", "digits")
    assert not {"--slurm", "--plot"} & set(jobs[0].arguments)
    state = json.loads(onespike(*jobs[0].arguments).stdout)
    assert (state["finished"], state["of"]) == (3, 3)
    jobs.clear()
    assert len(document(*asked, "--slurm", "2")["tried"]) == 3 and jobs == []


def test_runs_of_networks_images_and_nodes(tmp_path):
    a, b = tmp_path / "a.1.h5", tmp_path / "b.h5"
    runs = runs_of([a, b], 2, ["n1", "n2", "n3"], tmp_path)
    assert [(r.file, r.shard, r.report.name, r.node) for r in runs] == [
        (a, "1/2", "a_1-1-of-2", "n1"),
        (a, "2/2", "a_1-2-of-2", "n2"),
        (b, "1/2", "b-1-of-2", "n3"),
        (b, "2/2", "b-2-of-2", "n1"),
    ]
    assert [r.brings_up for r in runs] == [
        True,
        True,
        True,
        False,
    ]  # n1 again
    assert [r.brings_up for r in runs_of([b], 3, [], tmp_path)] == [True, False, False]
    with pytest.raises(ConfigurationError, match="must have different names, got b twice"):
        runs_of([b, tmp_path / "x" / "b.h5"], 1, [], tmp_path)


def test_half_a_report_is_none(tmp_path):
    run = Run(tmp_path / "a.h5", "1/1", tmp_path / "a-1-of-1", None, True)
    assert run.finished is None
    (tmp_path / "a-1-of-1.json").write_text('{"failed": fal')
    assert run.finished is None
    (tmp_path / "a-1-of-1.json").write_text('{"failed": false}')
    assert run.finished == {"failed": False}


def test_deploy_by_jobs(onespike, document, net_file, tmp_path, jobs):
    """Three images for two jobs: shares of two and one; what has a report is not submitted again."""
    out = tmp_path / "out"
    asked: tuple[Any, ...] = (
        "deploy",
        net_file,
        "--data",
        "digits",
        "--board",
        "oheo_gulch",
        "--dry-run",
        "--images",
        "3",
    )
    asked = (*asked, "--counted-images", "3", "--slurm", "2", "--node", "n1", "--node", "n2", "--out", out)
    first = document(*asked)
    assert not first["finished"] and len(jobs) == 2
    assert [a.arguments[a.arguments.index("--node") + 1] for a in jobs] == ["n1", "n2"]
    assert jobs[0].arguments[-2:] == ("--", str(net_file))
    assert not any("--skip-bringup" in job.arguments for job in jobs)
    report = {"failed": True, "comparison": {"equal": False, "first": "relu1 differs"}, "not_run": None}
    (out / f"{net_file.stem}-1-of-2.json").write_text(json.dumps(report))
    jobs.clear()
    second = onespike(*asked)
    assert second.exit_code == 1 and "relu1 differs" in second.stdout and "not finished" in second.stdout
    assert [job.name for job in jobs] == [f"{net_file.stem} 2/2"]
    jobs.clear()
    document(*(a for a in asked if a not in ("--node", "n1", "n2", out)), tmp_path / "anywhere")
    assert ["--skip-bringup" in job.arguments for job in jobs] == [False, True]
    other = onespike(*asked, "--input-delay", "2")
    assert other.exit_code == 2 and "is the folder of another run (command: " in other.stderr


@pytest.mark.lava
@pytest.mark.slow
def test_two_networks_on_two_boards(document, net_file, tmp_path):
    copy = tmp_path / "copy.h5"
    copy.write_bytes(net_file.read_bytes())
    asked: tuple[Any, ...] = (
        "deploy",
        net_file,
        copy,
        "--data",
        "digits",
        "--board",
        "oheo_gulch",
        "--dry-run",
        "--images",
        "1",
    )
    asked = (*asked, "--counted-images", "2", "--slurm", "1", "--slurm-local", "--slurm-logs", tmp_path / "logs")
    found = document(*asked, "--out", tmp_path / "out")
    assert found["finished"] and [r["report"]["comparison"]["equal"] for r in found["reports"]] == [True, True]
