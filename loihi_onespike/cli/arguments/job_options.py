"""Options of the commands that can run as an array of jobs, and the start of the array."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from loihi_onespike.errors import ConfigurationError, JobArrayError

if TYPE_CHECKING:
    from loihi_onespike.jobs import ArrayJob, Cluster, Ended

PANEL = "Job array"


def _option(*names: str, help: str, **more: Any) -> Any:
    return typer.Option(*names, help=help, rich_help_panel=PANEL, **more)


@dataclass(frozen=True)
class JobArray:
    """Options that say how jobs are started, for `groups.grouped`.

    Attributes:
        slurm: number of jobs; None for no job array.
        slurm_local: whether the jobs are processes of this machine.
        slurm_partition: partition of the SLURM cluster.
        slurm_minutes: longest time of a job.
        slurm_cpus: cores of a job.
        slurm_memory: memory of a job in GB.
        slurm_option: further options of sbatch, NAME=VALUE.
        slurm_logs: folder for the output of the jobs.
        detach: whether to submit the jobs and return.
    """

    slurm: Annotated[
        int | None, _option("--slurm", metavar="N", help="Share the work among an array of N jobs.", min=1)
    ] = None
    slurm_local: Annotated[
        bool, _option("--slurm-local", help="Run the jobs as processes of this machine, all at once, without SLURM.")
    ] = False
    slurm_partition: Annotated[
        str | None, _option("--slurm-partition", metavar="NAME", help="Partition of the jobs.")
    ] = None
    slurm_minutes: Annotated[int, _option("--slurm-minutes", metavar="N", help="Longest time of a job.", min=1)] = 240
    slurm_cpus: Annotated[int, _option("--slurm-cpus", metavar="N", help="Cores of a job.", min=1)] = 1
    slurm_memory: Annotated[float | None, _option("--slurm-memory", metavar="GB", help="Memory of a job.")] = None
    slurm_option: Annotated[
        list[str] | None,
        _option("--slurm-option", metavar="NAME=VALUE", help="Any other option of sbatch; may be repeated."),
    ] = None
    slurm_logs: Annotated[
        Path,
        _option(
            "--slurm-logs",
            metavar="FOLDER",
            help="Folder for the output of the jobs, on a shared file system.",
        ),
    ] = Path("onespike-jobs")
    detach: Annotated[
        bool, _option("--detach", help="Submit the jobs and exit; the command without --slurm collects their results.")
    ] = False

    def cluster(self) -> Cluster:
        """The cluster that the jobs run on.

        Raises:
            ConfigurationError: an option of sbatch is not of the form NAME=VALUE.
        """
        from loihi_onespike.jobs import Cluster

        further: dict[str, str] = {}
        for text in self.slurm_option or ():
            name, equals, value = text.partition("=")
            if not (name and equals):
                raise ConfigurationError(f"--slurm-option: must be NAME=VALUE, such as qos=long, got {text!r}")
            further[name.lstrip("-").replace("-", "_")] = value
        kind: Literal["slurm", "local"] = "local" if self.slurm_local else "slurm"
        return Cluster(
            self.slurm_logs, kind, self.slurm_partition, self.slurm_minutes, self.slurm_cpus, self.slurm_memory, further
        )

    def require(self) -> bool:
        """Whether jobs are asked for.

        Raises:
            ConfigurationError: an option of the job array is given without --slurm.
            JobArrayError: submitit is not installed.
        """
        if self.slurm is None:
            alone = [name for name in ("slurm_local", "detach") if getattr(self, name)]
            if alone:
                raise ConfigurationError(f"--{alone[0].replace('_', '-')}: requires --slurm N")
            return False
        from loihi_onespike.jobs.array import require_submitit

        require_submitit()
        return True

    def run(
        self,
        jobs: Sequence[ArrayJob],
        look: Callable[[int, int], None],
        accepted: tuple[int, ...] = (0,),
    ) -> list[Ended] | None:
        """Run jobs until all have ended, or submit them with --detach.

        Args:
            jobs: the jobs.
            look: called as look(ended, of) while the jobs run.
            accepted: exit statuses that do not count as failure.

        Returns:
            The ended jobs; None where they were only submitted.

        Raises:
            JobArrayError: jobs failed; the results of the others are kept.
        """
        from loihi_onespike.jobs import run_array, submit
        from loihi_onespike.jobs.array import failures

        if self.detach:
            submit(jobs, self.cluster())
            return None
        ended = run_array(jobs, self.cluster(), look)
        failed = failures(ended, accepted)
        if failed:
            listed = "\n".join(f"  {e}" for e in failed[:SHOWN])
            raise JobArrayError(
                f"job array: {len(failed)} of {len(ended)} jobs failed; finished work is kept, run the same "
                f"command again to do the rest\n{listed}"
            )
        return ended


SHOWN = 5
"""Number of failed jobs that an error lists."""


def command_again(context: typer.Context, *without: str, add: Sequence[str] = ()) -> tuple[str, ...]:
    """The command line of a context as it was given, for a job.

    Args:
        context: context of the command.
        without: names of parameters to leave out; those of the job array are always left out.
        add: options to append.
    """
    assert context.info_name is not None
    made: list[str] = [context.info_name]
    arguments: list[str] = []
    for parameter in context.command.params:
        name = parameter.name or ""
        source = context.get_parameter_source(name)
        dropped = name in without or name == "detach" or name.startswith("slurm")
        if source is None or source.name != "COMMANDLINE" or dropped:
            continue
        value = context.params[name]
        values = list(value) if isinstance(value, list | tuple) else [value]
        if parameter.param_type_name == "argument":
            arguments += map(str, values)
        elif isinstance(value, bool):
            made += [parameter.opts[0] if value else parameter.secondary_opts[0]]
        else:
            for each in values:
                made += [parameter.opts[0], str(each)]
    return (*made, *add, "--", *arguments)
