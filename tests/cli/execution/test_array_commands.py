"""`tune --slurm` and `deploy --slurm`, with processes of this machine in place of SLURM's jobs."""

import json
import subprocess
import sys
from typing import Any

import pytest

from loihi_onespike.cli.arguments.job_options import JobArray
from loihi_onespike.cli.execution.deploy_array import Run, runs_of
from loihi_onespike.errors import ConfigurationError
from loihi_onespike.jobs import array
from tests.support.fake_slurm import install, lose

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
    for edited in (
        '{"failed": false}',
        '{"failed": 0, "comparison": null, "not_run": "x"}',
        '{"failed": true, "comparison": 3}',
    ):
        (tmp_path / "a-1-of-1.json").write_text(edited)
        assert run.finished is None
    (tmp_path / "a-1-of-1.json").write_text('{"failed": false, "comparison": null, "not_run": "a dry run"}')
    assert run.finished == {"failed": False, "comparison": None, "not_run": "a dry run"}


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


@pytest.mark.thorough
def test_a_shard_that_slurm_lost_is_counted_by_the_next_run(onespike, document, net_file, tmp_path, monkeypatch):
    """The first run finishes the other shard and names the lost one; the same command again does the rest."""
    monkeypatch.setenv("PATH", install(tmp_path / "slurm", lost=[1]))
    monkeypatch.setattr(array, "POLL_S", {"slurm": 0.1})
    monkeypatch.setattr(array, "GONE_AFTER_S", 1.0)
    asked: tuple[Any, ...] = ("evaluate", net_file, "--data", "digits", "--images", "40", "--batch", "10")
    expected = document(*asked)
    asked += ("--resume", tmp_path / "run", "--slurm", "2", "--slurm-logs", tmp_path / "logs")
    first = onespike(*asked)
    assert first.exit_code == 2 and "1 of 2 jobs failed; finished work is kept" in first.stderr
    assert "shard 2/2 died: job 1_1 is not in the queue of SLURM any more" in " ".join(first.stderr.split())
    assert len(list((tmp_path / "run").glob("part.*"))) == 2
    lose(tmp_path / "slurm", [])
    assert document(*asked) == expected


@pytest.mark.thorough
def test_two_runs_in_one_folder_at_the_same_time(net_file, document, tmp_path):
    """Both end well with the counts of one run alone."""
    asked = ("evaluate", str(net_file), "--data", "digits", "--images", "40", "--batch", "5", "--json")
    expected = document(*asked[:-1])
    command = [sys.executable, "-m", "loihi_onespike", *asked, "--resume", "run"]
    runs = [subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE) for _ in range(2)]
    assert [json.loads(run.communicate(timeout=300)[0]) for run in runs] == [expected, expected]
    assert sorted(path.name for path in (tmp_path / "run").iterdir())[-1] == "run.json"
