"""Arrays of commands: command lines that come back whole, jobs that fail, jobs that die."""

import sys

import pytest
import typer
from typer.testing import CliRunner

from loihi_onespike.cli.arguments.job_options import JobArray, command_again
from loihi_onespike.errors import ConfigurationError, JobArrayError
from loihi_onespike.jobs import ArrayJob, Cluster, Ended, array, run_array
from loihi_onespike.jobs.array import Command, _parameters, failures, submit
from tests.support.fake_slurm import install


def test_a_command_line_comes_back_as_it_was_given():
    found = []
    app = typer.Typer()

    @app.command()
    def run(
        context: typer.Context,
        files: list[str],
        batch: int = typer.Option(4, "--batch", "-b"),
        weights: str = typer.Option("w"),
        without: list[str] = typer.Option([]),
        shared: bool = typer.Option(False, "--shared"),
        slurm: int = typer.Option(None),
        slurm_local: bool = typer.Option(False, "--slurm-local"),
        as_json: bool = typer.Option(False, "--json"),
    ):
        found.append(command_again(context, "as_json", add=("--shard", "1/2")))

    @app.command()
    def other():
        pass

    given = [
        "run",
        "a b.h5",
        "-b",
        "2",
        "--without",
        "x",
        "--without",
        "-y",
        "--shared",
        "--slurm",
        "3",
        "--slurm-local",
    ]
    assert CliRunner().invoke(app, [*given, "--json", "--", "-c.h5"]).exit_code == 0
    assert found[0] == (
        "run", "--batch", "2", "--without", "x", "--without", "-y", "--shared", "--shard", "1/2", "--", "a b.h5",
        "-c.h5",
    )  # fmt: skip


def test_options_of_sbatch():
    """What submitit knows goes by its own name, anything else to sbatch as it stands."""
    cluster = JobArray(
        slurm=2,
        slurm_partition="short",
        slurm_minutes=30,
        slurm_memory=4.0,
        slurm_option=["qos=long", "--reservation=r1"],
    ).cluster()
    assert _parameters(cluster) == {
        "name": "onespike", "timeout_min": 30, "cpus_per_task": 1, "mem_gb": 4.0, "slurm_partition": "short",
        "slurm_qos": "long", "slurm_additional_parameters": {"reservation": "r1"},
    }  # fmt: skip


def test_exit_status_of_a_command(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Command(("--version",), str(tmp_path))() == 0
    assert Command(("inspect", "missing.h5"), str(tmp_path))() == 2
    assert "missing.h5" in capsys.readouterr().err


def test_failures_are_told(tmp_path):
    ended = [
        Ended(ArrayJob("shard 1/3", ()), 0, "", tmp_path),
        Ended(ArrayJob("shard 2/3", ()), 2, "a\nonespike: no room\n", tmp_path),
        Ended(ArrayJob("shard 3/3", ()), None, "Job not requeued\n-----\n", tmp_path),
    ]
    told = [str(e) for e in failures(ended)]
    assert told == [
        f"shard 2/3 ended with status 2: onespike: no room (log {tmp_path})",
        f"shard 3/3 died: Job not requeued (log {tmp_path})",
    ]
    assert failures(ended[:2], accepted=(0, 2)) == []


def test_without_slurm(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(JobArrayError, match="--slurm-local runs the jobs as processes"):
        submit([ArrayJob("a", ())], Cluster(tmp_path / "logs"))


def test_without_submitit(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "submitit", None)
    monkeypatch.setattr("loihi_onespike.jobs.array.find_spec", lambda name: None)
    with pytest.raises(JobArrayError, match=r"pip install .loihi-onespike\[slurm\]"):
        submit([ArrayJob("a", ())], Cluster(tmp_path))


def test_options_of_jobs_without_jobs():
    with pytest.raises(ConfigurationError, match="--detach: requires --slurm N"):
        JobArray(detach=True).require()


@pytest.mark.slow
def test_jobs_as_processes_of_this_machine(tmp_path):
    """One job ends well, one cannot be done; both are told, with the log."""
    looks = []
    jobs = [ArrayJob("good", ("--version",)), ArrayJob("bad", ("inspect", str(tmp_path / "missing.h5")))]
    good, bad = run_array(jobs, Cluster(tmp_path / "logs", "local"), lambda *seen: looks.append(seen))
    assert (good.status, bad.status) == (0, 2) and looks[-1] == (2, 2)
    assert "no such file" in str(bad) and bad.log.is_file()


def test_a_job_that_slurm_lost_is_told(tmp_path, monkeypatch):
    """The accounting does not know it and the queue does not list it; the other one is waited for."""
    monkeypatch.setenv("PATH", install(tmp_path / "slurm", lost=[1]))
    monkeypatch.setattr(array, "POLL_S", {"slurm": 0.1})
    monkeypatch.setattr(array, "GONE_AFTER_S", 1.0)
    jobs = [ArrayJob("shard 1/2", ("--version",)), ArrayJob("shard 2/2", ("--version",))]
    first, second = run_array(jobs, Cluster(tmp_path / "logs"))
    assert first.status == 0, first
    assert str(second).startswith("shard 2/2 died: job 1_1 is not in the queue of SLURM any more and left no result")
