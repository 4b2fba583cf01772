"""An evaluation in parts: gone on with, on several ranks, as a shard, or as an array of jobs."""

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
    """How the images are cut into parts, and who counts them, for `groups.grouped`."""

    resume: Annotated[
        Path | None,
        _option(
            "--resume",
            metavar="FOLDER",
            help="Keeps the counts of finished parts; the same command again goes on where it was stopped.",
        ),
    ] = None
    shard: Annotated[
        str | None,
        _option("--shard", metavar="K/N", help="With --resume: count the K-th of N shares of the parts alone."),
    ] = None
    batch: Annotated[
        int, _option("--batch", metavar="N", help="Images of a part, which one process counts.", min=1)
    ] = 250
    rank_timeout: Annotated[
        float,
        _option("--rank-timeout", metavar="SECONDS", help="Under torchrun: how long to wait for another rank.", min=1),
    ] = 1800.0

    def check(self, jobs: JobArray) -> None:
        """Raises ConfigurationError where several runs have no folder in which their counts meet."""
        if self.resume is None and (self.shard is not None or jobs.slurm is not None):
            raise ConfigurationError(
                f"--{'slurm' if self.shard is None else 'shard'}: found without --resume, supported with a folder that "
                "keeps the counts"
            )


@dataclass(frozen=True)
class Unfinished:
    """The state of a folder that does not hold all parts yet.

    Attributes:
        finished, of: images that are counted, and all.
        folder: what --resume named.
    """

    finished: int
    of: int
    folder: Path

    def __str__(self) -> str:
        return (
            f"{self.finished} of {self.of} images are counted in {self.folder}; the same command again goes on with "
            "the rest"
        )

    def to_dict(self) -> dict[str, object]:
        return {"finished": False, **asdict(self)}


def state_of(evaluator: Evaluator, folder: Path) -> Unfinished:
    """What the folder holds now."""
    from loihi_onespike.evaluation.ledger import Ledger

    finished = Ledger.open(folder, evaluator.facts).images_kept(evaluator.parts)
    return Unfinished(finished, len(evaluator.images), folder)


def counted(
    evaluator: Evaluator, resume: Path | None, shard: str | None, ranks: Ranks | None, bars: ProgressBars
) -> Counts | Unfinished:
    """Counts of all images, or how far the folder is after one shard."""
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
    """Counts of all images by an array of jobs, one for every shard that has something left to do.

    Raises JobArrayError when jobs failed; the folder keeps what the others finished.
    """
    from loihi_onespike.evaluation.ledger import Ledger
    from loihi_onespike.evaluation.parts import Shard
    from loihi_onespike.jobs import Job

    assert jobs.slurm is not None
    ledger = Ledger.open(folder, evaluator.facts)
    kept = ledger.kept(evaluator.parts)
    missing = [part for part in evaluator.parts if part not in kept]
    shards = [Shard(i, jobs.slurm) for i in range(jobs.slurm)]
    shards = [shard for shard in shards if any(part in shard for part in missing)]
    array = [
        Job(f"shard {shard}", command_again(context, "as_json", "shard", add=("--shard", str(shard), "--json")))
        for shard in shards
    ]

    def look(ended: int, of: int) -> None:
        bars(f"evaluate, {of} jobs", ledger.images_kept(evaluator.parts), len(evaluator.images))

    if array and jobs.run(array, look) is None:
        return state_of(evaluator, folder)
    return counted(evaluator, folder, None, None, bars)
