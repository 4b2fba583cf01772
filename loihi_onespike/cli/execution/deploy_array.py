"""onespike deploy --slurm: several networks, or shares of the images, on several boards at once.

A folder holds one report per job (<network>-<k>-of-<n>.json and .md), and array.json with the facts that the reports
depend on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from loihi_onespike.cli.arguments import inputs
from loihi_onespike.cli.arguments.job_options import JobArray, command_again
from loihi_onespike.cli.command import CHECK_FAILED, Result
from loihi_onespike.cli.terminal.progress import ProgressBars
from loihi_onespike.errors import ConfigurationError, DataError

ARRAY = "array.json"
FORMAT = "onespike deployment 1"


@dataclass(frozen=True)
class Run:
    """One network on one board with a share of the images.

    Attributes:
        file: network file.
        shard: share of the images, "k/n".
        report: path of its report without suffix.
        node: node of the cluster, None for any.
        brings_up: whether its job runs the bring-up networks first: the first job of every node does.
    """

    file: Path
    shard: str
    report: Path
    node: str | None
    brings_up: bool

    @property
    def finished(self) -> Mapping[str, Any] | None:
        """The report of the run; None where it is missing or incomplete."""
        from loihi_onespike.jobs.run_folder import read_object

        path = self.report.with_name(f"{self.report.name}.json")
        try:
            found = read_object(path) if path.is_file() else None
        except DataError:
            return None
        return found if found is not None and _is_report(found) else None


def _is_report(found: Mapping[str, Any]) -> bool:
    """Whether a document has what is shown of a report: one that was edited counts as missing, and is made again."""
    compared = found.get("comparison", ...)
    if not isinstance(found.get("failed"), bool) or not (compared is None or isinstance(compared, dict)):
        return False
    if compared is None:
        return isinstance(found.get("not_run"), str)
    equal, first = compared.get("equal"), compared.get("first")
    return isinstance(equal, bool) and (type(compared.get("images")) is int if equal else isinstance(first, str))


def runs_of(files: Sequence[Path], shards: int, nodes: Sequence[str], out: Path) -> list[Run]:
    """A run for every network and share of the images.

    Args:
        files: network files.
        shards: number of shares of the images.
        nodes: nodes of the cluster, which the runs take in turn; empty for any node.
        out: folder for the reports.

    Raises:
        ConfigurationError: two files have the same name, so their reports would too.
    """
    names = [file.stem for file in files]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigurationError(f"deploy: the network files must have different names, got {twice[0]} twice")
    made: list[Run] = []
    seen: set[str | None] = set()
    for file in files:
        for k in range(1, shards + 1):
            node = nodes[len(made) % len(nodes)] if nodes else None
            # A dot in the name would be taken for the start of the report's suffix.
            report = out / f"{file.stem}-{k}-of-{shards}".replace(".", "_")
            made.append(Run(file, f"{k}/{shards}", report, node, node not in seen))
            seen.add(node)
    return made


def deploy_by_jobs(
    context: typer.Context, files: Sequence[Path], nodes: Sequence[str], out: Path | None, images: int, jobs: JobArray
) -> Result:
    """Run every network and share of the images that has no report yet, as an array of jobs.

    Args:
        context: context of the command, whose options the jobs repeat.
        files: network files.
        nodes: nodes of the cluster.
        out: folder for the reports.
        images: number of images, which limits the number of shares.
        jobs: options of the job array.

    Returns:
        The result of the command with all reports.

    Raises:
        ConfigurationError: no folder is given, or the folder belongs to another run.
        JobArrayError: jobs failed.
    """
    from loihi_onespike.jobs import ArrayJob
    from loihi_onespike.jobs.run_folder import claim

    assert jobs.slurm is not None
    if out is None:
        raise ConfigurationError("--slurm: requires --out FOLDER for the reports")
    dropped = ("files", "node", "out", "as_json", "shard")
    alike = command_again(context, *dropped)
    runs = runs_of([inputs.existing(f) for f in files], min(jobs.slurm, images), nodes, out)
    facts = {"format": FORMAT, "networks": {f.stem: _hash(f) for f in files}, "command": " ".join(alike)}
    names = {f"{run.report.name}{suffix}" for run in runs for suffix in (".json", ".md")}
    claim(out, ARRAY, facts, names.__contains__, "--out")
    array = []
    for run in (run for run in runs if run.finished is None):
        where = () if run.node is None else ("--node", run.node)
        add = ("--shard", run.shard, *where, "--out", f"{run.report}.json", "--json")
        if run.brings_up:
            arguments = command_again(context, *dropped, add=add)
        else:
            arguments = command_again(context, *dropped, "skip_bringup", add=("--skip-bringup", *add))
        array.append(ArrayJob(f"{run.file.stem} {run.shard}", (*arguments, str(run.file))))
    with ProgressBars() as bars:

        def look(ended: int, of: int) -> None:
            bars(f"deploy, {of} jobs", sum(run.finished is not None for run in runs), len(runs))

        if array:
            jobs.run(array, look, accepted=(0, CHECK_FAILED))  # a difference is a result, which the report holds
    reports = {run.report.name: run.finished for run in runs}
    document = {
        "finished": all(r is not None for r in reports.values()),
        "folder": str(out),
        "reports": [{"file": str(run.file), "shard": run.shard, "report": reports[run.report.name]} for run in runs],
    }
    failed = any(r is not None and bool(r["failed"]) for r in reports.values())
    return Result(document, lambda console: _show(console, runs, reports), failed)


def _hash(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()[:32]


def _show(console: Console, runs: Sequence[Run], reports: Mapping[str, Mapping[str, Any] | None]) -> None:
    from loihi_onespike.cli.terminal.output import show_table

    rows = [(run.file, run.shard, run.node or "any", _verdict(reports[run.report.name]), run.report) for run in runs]
    show_table(console, "Networks on boards", ("network", "images", "node", "against the oracle", "report"), rows, 5)


def _verdict(report: Mapping[str, Any] | None) -> str:
    if report is None:
        return "not finished"
    compared = report["comparison"]
    if compared is None:
        return f"not run: {report['not_run']}"
    if not compared["equal"]:
        return str(compared["first"])
    return f"{compared['images']} images equal" + (", does not fit" if report["failed"] else "")
