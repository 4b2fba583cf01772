"""Options of commands that can run as an array of jobs, and the way from them to the array."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from loihi_onespike.errors import ConfigurationError, JobArrayError

if TYPE_CHECKING:
    from loihi_onespike.jobs import Cluster, Ended, Job

PANEL = "Job array"


def _option(*names: str, help: str, **more: Any) -> Any:
    return typer.Option(*names, help=help, rich_help_panel=PANEL, **more)


@dataclass(frozen=True)
class JobArray:
    """How jobs are started, for `groups.grouped`."""

    slurm: Annotated[
        int | None, _option("--slurm", metavar="N", help="Share the work among an array of N jobs.", min=1)
    ] = None
    slurm_local: Annotated[
        bool, _option("--slurm-local", help="The jobs as processes of this machine, all at once, without SLURM.")
    ] = False
    slurm_partition: Annotated[str | None, _option("--slurm-partition", metavar="NAME", help="Where the jobs run.")] = (
        None
    )
    slurm_minutes: Annotated[int, _option("--slurm-minutes", metavar="N", help="Longest time of a job.", min=1)] = 240
    slurm_cpus: Annotated[int, _option("--slurm-cpus", metavar="N", help="Cores of a job.", min=1)] = 1
    slurm_memory: Annotated[float | None, _option("--slurm-memory", metavar="GB", help="Memory of a job.")] = None
    slurm_option: Annotated[
        list[str] | None,
        _option("--slurm-option", metavar="NAME=VALUE", help="Any other option of sbatch, may be repeated."),
    ] = None
    slurm_logs: Annotated[
        Path, _option("--slurm-logs", metavar="FOLDER", help="Output of the jobs; all nodes must see it.")
    ] = Path("onespike-jobs")
    detach: Annotated[
        bool, _option("--detach", help="Submit and leave; the command without --slurm collects what the jobs kept.")
    ] = False

    def cluster(self) -> Cluster:
        """Where the jobs run; raises ConfigurationError for an option that is no NAME=VALUE."""
        from loihi_onespike.jobs import Cluster

        further: dict[str, str] = {}
        for text in self.slurm_option or ():
            name, equals, value = text.partition("=")
            if not (name and equals):
                raise ConfigurationError(f"--slurm-option: found {text!r}, supported NAME=VALUE, as qos=long")
            further[name.lstrip("-").replace("-", "_")] = value
        kind: Literal["slurm", "local"] = "local" if self.slurm_local else "slurm"
        return Cluster(
            self.slurm_logs, kind, self.slurm_partition, self.slurm_minutes, self.slurm_cpus, self.slurm_memory, further
        )

    def require(self) -> bool:
        """Jobs are asked for; raises where an option of theirs stands alone, or submitit is missing."""
        if self.slurm is None:
            alone = [name for name in ("slurm_local", "detach") if getattr(self, name)]
            if alone:
                raise ConfigurationError(f"--{alone[0].replace('_', '-')}: found alone, supported with --slurm N")
            return False
        from loihi_onespike.jobs.array import require_submitit

        require_submitit()
        return True

    def run(
        self,
        jobs: Sequence[Job],
        look: Callable[[int, int], None],
        accepted: tuple[int, ...] = (0,),
    ) -> list[Ended] | None:
        """Run jobs to their end; None when they were only submitted.

        Raises:
            JobArrayError: some failed; says which and what to do. What the others did is kept.
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
                f"job array: {len(failed)} of {len(ended)} jobs failed; what is finished is kept, the same command "
                f"again does the rest\n{listed}"
            )
        return ended


SHOWN = 5
"""Failed jobs that are told one by one."""


def command_again(context: typer.Context, *without: str, add: Sequence[str] = ()) -> tuple[str, ...]:
    """The command line of a context, as it was given, for a job.

    Args:
        without: parameters to leave out, by name; those of the array go anyway.
        add: options behind it.
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
