"""onespike deploy: a network on a board, or a dry run without one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from loihi_onespike.cli.arguments import inputs, options
from loihi_onespike.cli.arguments.board_access import RUN, BoardAccess
from loihi_onespike.cli.arguments.groups import grouped
from loihi_onespike.cli.arguments.job_options import JobArray
from loihi_onespike.cli.command import Result, command
from loihi_onespike.cli.execution.deploy_array import deploy_by_jobs
from loihi_onespike.errors import ConfigurationError

if TYPE_CHECKING:
    from loihi_onespike.boards.deployment import Report


@command
@grouped
def deploy(
    context: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(metavar="NET.h5", help="File written by `onespike convert`; with --slurm one or more files."),
    ],
    jobs: JobArray,
    data: options.Data,
    source: options.Source,
    way: BoardAccess,
    board: options.BoardToRun = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Everything except the run on the board: preflight, mapping, the bring-up networks on the stand-in "
            "board, the network on Lava's CPU backend (with --backend stand-in on the microcode interpreter), report.",
        ),
    ] = False,
    skip_bringup: Annotated[
        bool,
        typer.Option(
            "--skip-bringup",
            help="Run the network at once, without the networks of `onespike bringup` before it.",
        ),
    ] = False,
    handover: Annotated[
        Path | None,
        typer.Option(
            "--handover",
            metavar="FOLDER",
            help="Write all that has to be loaded with Intel's tools: listings, state, synapses, golden traces "
            "(docs/handover.md); with --dry-run too.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    images: Annotated[int, typer.Option("--images", metavar="N", help="Images to run.", min=1)] = 4,
    fill_chips: options.FillChips = False,
    shard: Annotated[
        str | None, typer.Option("--shard", metavar="K/N", help="Run only the K-th of N shares of the images.")
    ] = None,
    counted_images: Annotated[
        int, typer.Option(metavar="N", help="Images whose spikes the estimate counts.", min=1)
    ] = 100,
    profile: Annotated[
        bool,
        typer.Option("--profile", help="Also measure time and energy, in a separate run.", rich_help_panel=RUN),
    ] = False,
    steps: Annotated[
        int,
        typer.Option("--steps", metavar="N", help="Steps of the measurement; 2,000 to 10,000.", rich_help_panel=RUN),
    ] = 4000,
    compute_only: Annotated[
        bool,
        typer.Option("--compute-only", help="Measure with the input replayed by the chip.", rich_help_panel=RUN),
    ] = False,
    spikes_of: Annotated[
        list[str] | None,
        typer.Option(
            metavar="POPULATION",
            help="Population whose spikes are read back; may be repeated.",
            show_default="the last",
            rich_help_panel=RUN,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="Write the report as FILE.json and FILE.md; with --slurm: a folder for one report per job.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> Result:
    """Run a network on a Loihi 2 board, compare spikes and outputs with the oracle, and measure time and energy.

    The bring-up networks run first (docs/bringup.md). A board needs lava-loihi, which Intel gives to members of its
    research community; --dry-run does everything except the run on the board. The exit status is 1 when a spike or an
    output differs, of the network or of the bring-up networks, or, in a dry run, when the network does not fit.
    --slurm N runs every network on N boards at once, each with its share of the images; the bring-up networks run in
    the first job of every node that --node names, or in the first job.

    Example: onespike deploy net.h5 --data digits --board oheo_gulch --dry-run
    """
    if board is None:
        raise ConfigurationError(f"--board: must name what the network runs on; one of {options.BOARDS}")
    if jobs.require():
        if handover is not None:
            raise ConfigurationError("--handover: not valid with --slurm; write it once, with --dry-run")
        replace(way, node=way.node[:1] if way.node else None).access()
        return deploy_by_jobs(context, files, way.node or (), out, images, jobs)
    if len(files) > 1 or len(way.node or ()) > 1:
        raise ConfigurationError("deploy: must be one network and at most one node without --slurm N, got more")
    (file,) = files
    access = way.access()
    inputs.existing(file)
    source.check(data)
    if out is not None:
        inputs.writable(out)

    import loihi_onespike as los
    from loihi_onespike.boards.deployment import DeploymentOptions
    from loihi_onespike.boards.deployment import deploy as put
    from loihi_onespike.boards.deployment.backends.registry import backend_of
    from loihi_onespike.boards.deployment.deployment import require_software
    from loihi_onespike.boards.specification import load_board
    from loihi_onespike.cli.execution.spikes import activity_on
    from loihi_onespike.cli.terminal.progress import ProgressBars
    from loihi_onespike.evaluation.parts import Shard

    onto = load_board(board)
    if not dry_run:
        require_software(backend_of(way.backend))
    net = los.load(file)
    found = source.read(data)
    run = found.take(images).images[:]
    if shard is not None:
        share = Shard.of_text(shard)
        run = run[share.index :: share.of]
        if not len(run):
            raise ConfigurationError(f"--shard: must be one of at most {images} shards, one per image, got {shard}")
    with ProgressBars() as bars:
        activity = activity_on(net, found.take(counted_images), bars)
        report = put(
            net.network,
            net.encode(run),
            onto,
            DeploymentOptions(
                access=access,
                stepping=way.stepping,
                program=way.program,
                backend=way.backend,
                dry_run=dry_run,
                profile_steps=steps if profile else None,
                compute_only=compute_only,
                spikes_of=spikes_of,
                input_delay=way.input_delay,
                output_delay=way.output_delay,
                state_delay=way.state_delay,
                timeout_s=way.timeout,
                skip_bringup=skip_bringup,
                handover=handover,
                fill_chips=fill_chips,
            ),
            activity=activity,
            progress=lambda done, of: bars("steps", done, of),
            bringup_progress=lambda done, of: bars("bring-up networks", done, of),
        )
    written = () if out is None else report.write(out)
    return Result(report.to_dict(), lambda console: show_report(console, report, written), report.failed)


def show_report(console: Console, report: Report, written: tuple[Path, ...]) -> None:
    """Print the preflight, the comparison with the oracle, and estimated beside measured figures.

    Args:
        console: where it is printed.
        report: result of the deployment.
        written: files of the report.
    """
    from loihi_onespike.cli.terminal.output import show_facts, show_table

    rows = [(f"{c.name}: {report.mark(c)}", report.found(c)) for c in report.checks]
    title = f"{report.network} on {report.estimate.board}" + (" (dry run: no board was touched)" * report.dry_run)
    show_facts(console, title, rows)
    show_facts(console, "Bring-up", [("", line) for line in report.bringup_lines() if line])
    compared = report.comparison
    if compared is None:
        lines = [("not run", report.not_run)]
    else:
        result = "every spike and output equal" if compared.equal else f"{compared.first}; {compared.remedy}"
        lines = [
            ("on", f"{compared.where}, {compared.images} images"),
            ("spikes of", ", ".join(compared.populations)),
            *([] if compared.delays is None else [("delays in steps", str(compared.delays))]),
            ("result", result),
        ]
    show_facts(console, "Against the oracle", lines)
    cells = [
        (quantity, str(estimated), "not measured" if measured is None else str(measured))
        for quantity, estimated, measured in report.rows()
    ]
    account = report.estimate.best_account.table
    show_table(console, f"Per image ({account})", ("", "estimated", "measured"), cells)
    for line in (*(report.measurement.warnings if report.measurement else ()), *report.estimate.sentences):
        console.print(f"  {line}", markup=False)
    if report.handover is not None:
        console.print(f"\nHand-over: {report.handover}", markup=False)
    if written:
        console.print("\nWritten: " + ", ".join(map(str, written)), markup=False)
