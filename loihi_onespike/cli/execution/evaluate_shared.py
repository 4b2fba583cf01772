"""Evaluation in parts: resumed after an interrupt, on several ranks, as a shard, or as an array of jobs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from loihi_onespike.cli.arguments.job_options import JobArray, command_again
from loihi_onespike.cli.terminal.progress import ProgressBars
from loihi_onespike.errors import ConfigurationError

if TYPE_CHECKING:
    from loihi_onespike.evaluation.evaluator import Evaluator
    from loihi_onespike.evaluation.image_counts import Counts
    from loihi_onespike.jobs.distributed import Ranks


PANEL = "Long work, several processes"


def _option(*names: str, help: str, **more: Any) -> Any:
    return typer.Option(*names, help=help, rich_help_panel=PANEL, **more)


@dataclass(frozen=True)
class Sharing:
    """Options that say how the images are divided into parts and which process counts them, for `groups.grouped`.

    Attributes:
        resume: folder that keeps the counts of finished parts.
        shard: "K/N", the share of the parts that this run counts.
        batch: images per part.
        rank_timeout: seconds to wait for another rank.
    """

    resume: Annotated[
        Path | None,
        _option(
            "--resume",
            metavar="FOLDER",
            help="Folder that keeps the counts of finished parts; the same command run again continues from there.",
        ),
    ] = None
    shard: Annotated[
        str | None,
        _option("--shard", metavar="K/N", help="With --resume: count only the K-th of N shares of the parts."),
    ] = None
    batch: Annotated[
        int, _option("--batch", metavar="N", help="Images per part; one process counts a part.", min=1)
    ] = 250
    rank_timeout: Annotated[
        float,
        _option("--rank-timeout", metavar="SECONDS", help="With torchrun: time to wait for another rank.", min=1),
    ] = 1800.0

    def check(self, jobs: JobArray) -> None:
        """Check that several runs share a folder for their counts.

        Args:
            jobs: options of the job array.

        Raises:
            ConfigurationError: --shard or --slurm is given without --resume.
        """
        if self.resume is None and (self.shard is not None or jobs.slurm is not None):
            raise ConfigurationError(
                f"--{'slurm' if self.shard is None else 'shard'}: requires --resume FOLDER, which keeps the counts "
                "of all runs"
            )


@dataclass(frozen=True)
class Unfinished:
    """The state of a folder that does not hold all parts yet.

    Attributes:
        finished: number of images that are counted.
        of: number of all images.
        folder: folder given with --resume.
    """

    finished: int
    of: int
    folder: Path

    def __str__(self) -> str:
        return (
            f"{self.finished} of {self.of} images are counted in {self.folder}; run the same command again to count "
            "the rest"
        )

    def to_dict(self) -> dict[str, object]:
        """The state as values for JSON."""
        return {"finished": False, **asdict(self)}


def state_of(evaluator: Evaluator, folder: Path) -> Unfinished:
    """The number of images that the folder holds counts of now."""
    from loihi_onespike.evaluation.ledger import Ledger

    finished = Ledger.open(folder, evaluator.facts).images_kept(evaluator.parts)
    return Unfinished(finished, len(evaluator.images), folder)


def counted(
    evaluator: Evaluator, resume: Path | None, shard: str | None, ranks: Ranks | None, bars: ProgressBars
) -> Counts | Unfinished:
    """Count images in this process, or on all ranks.

    Args:
        evaluator: network, images and parts.
        resume: folder that keeps the counts, None to keep none.
        shard: "K/N" to count one share only.
        ranks: ranks that share the work, None for this process alone.
        bars: shows the progress.

    Returns:
        Counts of all images, or the state of the folder where other shards are missing.
    """
    from loihi_onespike.evaluation.parts import Shard

    def report(done: int, of: int) -> None:
        bars("evaluate", done, of)

    counts = evaluator.run(ranks, resume, None if shard is None else Shard.of_text(shard), report)
    if counts.images == len(evaluator.images):
        return counts
    assert resume is not None  # a shard has a folder
    return Unfinished(counts.images, len(evaluator.images), resume)


def counted_by_jobs(
    context: typer.Context, evaluator: Evaluator, folder: Path, jobs: JobArray, bars: ProgressBars
) -> Counts | Unfinished:
    """Count images by an array of jobs, with one job for every shard that is not finished.

    Args:
        context: context of the command, whose options the jobs repeat.
        evaluator: network, images and parts.
        folder: folder that keeps the counts of all jobs.
        jobs: options of the job array.
        bars: shows the progress.

    Returns:
        Counts of all images, or the state of the folder where the jobs were only submitted.

    Raises:
        JobArrayError: jobs failed; the folder keeps the counts of the others.
    """
    from loihi_onespike.evaluation.ledger import Ledger
    from loihi_onespike.evaluation.parts import Shard
    from loihi_onespike.jobs import ArrayJob

    assert jobs.slurm is not None
    ledger = Ledger.open(folder, evaluator.facts)
    kept = ledger.kept(evaluator.parts)
    missing = [part for part in evaluator.parts if part not in kept]
    shards = [Shard(i, jobs.slurm) for i in range(jobs.slurm)]
    shards = [shard for shard in shards if any(part in shard for part in missing)]
    array = [
        ArrayJob(f"shard {shard}", command_again(context, "as_json", "shard", add=("--shard", str(shard), "--json")))
        for shard in shards
    ]

    def look(ended: int, of: int) -> None:
        bars(f"evaluate, {of} jobs", ledger.images_kept(evaluator.parts), len(evaluator.images))

    if array and jobs.run(array, look) is None:
        return state_of(evaluator, folder)
    return counted(evaluator, folder, None, None, bars)
