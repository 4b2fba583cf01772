"""From a network to a report: preflight, map, run on the board (or rehearse without one), compare, measure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.boards.deployment.access import DEFAULT_STEPPING, Access, Slurm, checked_stepping
from loihi_onespike.boards.deployment.backends.board_backend import BackendEntry, BoardSettings, Progress
from loihi_onespike.boards.deployment.backends.check import Check
from loihi_onespike.boards.deployment.backends.registry import BACKENDS, backend_of
from loihi_onespike.boards.deployment.backends.stand_in import STAND_IN
from loihi_onespike.boards.deployment.board_run import BoardSession
from loihi_onespike.boards.deployment.bringup.ladder_run import FOLDER, LadderRun, climb, ladder_check, ladder_programs
from loihi_onespike.boards.deployment.checks import Program, preflight, programmed
from loihi_onespike.boards.deployment.comparison import BoardComparison, compare_run, compare_traces
from loihi_onespike.boards.deployment.delays import AdapterDelays, DelayChoice
from loihi_onespike.boards.deployment.deployment_report import Report
from loihi_onespike.boards.deployment.handover.handover import HANDOVER_IMAGES, write_handover, write_ladder_handover
from loihi_onespike.boards.deployment.measurement import BoardMeasurement
from loihi_onespike.boards.deployment.windows import only_held
from loihi_onespike.boards.energy.activity import Activity
from loihi_onespike.boards.energy.estimate import estimate_board
from loihi_onespike.boards.energy.fill_chips import map_measured
from loihi_onespike.boards.specification import load_board
from loihi_onespike.boards.specification.spec import Board
from loihi_onespike.core.graphs.network import Network
from loihi_onespike.core.step_trace import StepTrace
from loihi_onespike.core.trace import Trace
from loihi_onespike.errors import ConfigurationError, DeploymentError
from loihi_onespike.executors import reference
from loihi_onespike.executors.microcode import microcode_executor
from loihi_onespike.microcode.program_file import program_files

INTERPRETER = "the microcode interpreter"


@dataclass(frozen=True)
class DeploymentOptions:
    """Options of a deployment.

    Attributes:
        access: How the board is reached.
        stepping: Stepping of its chips, one of `access.STEPPINGS`.
        program: Microcode files, as `microcode.program_file.program_files` takes them.
        backend: Name of what the network runs on, see `backends.registry`.
        dry_run: Do everything except using a board: the network runs where the backend can rehearse it.
        profile_steps: Also measure time and energy, in a second run of this many steps; 2,000 to 10,000 are advisable.
        compute_only: Measure with the first image replayed from the chip, the host out of the loop.
        spikes_of: Names of the populations whose spikes are read back; by default those that the readout reads.
        input_delay: Steps that the input adapter adds; None tries 1, 0 and 2.
        output_delay: Steps that the adapters of spikes towards the host add; None tries 1, 0 and 2.
        state_delay: Steps until a potential reaches the host; None tries 1, 0 and 2.
        timeout_s: Time limit of each run in s, waiting for the board included; None for no limit.
        skip_bringup: Run the network at once, without the bring-up networks before it (docs/bringup.md).
        handover: Folder to write the hand-over of the network and of the bring-up networks to (docs/handover.md).
        fill_chips: Spread slow layers over cores that are idle on the chips in use.
    """

    access: Access = field(default_factory=Slurm)
    stepping: str = DEFAULT_STEPPING
    program: Program | None = None
    backend: str = BACKENDS[0].name
    dry_run: bool = False
    profile_steps: int | None = None
    compute_only: bool = False
    spikes_of: Sequence[str] | None = None
    input_delay: int | None = None
    output_delay: int | None = None
    state_delay: int | None = None
    timeout_s: float | None = None
    skip_bringup: bool = False
    handover: Path | None = None
    fill_chips: bool = False

    @property
    def delays(self) -> DelayChoice:
        """Delays that the adapters may have."""
        return DelayChoice(self.input_delay, self.output_delay, self.state_delay)


def deploy(
    network: Network,
    codes: NDArray[np.integer],
    board: Board | str,
    options: DeploymentOptions | None = None,
    *,
    activity: Activity | None = None,
    progress: Progress | None = None,
    bringup_progress: Progress | None = None,
) -> Report:
    """Put a network onto a board, run images, compare with the oracle, measure, and report.

    Args:
        network: The network to deploy.
        codes: (N, *input shape) input codes, as `OneSpikeNetwork.encode` makes them.
        board: A board, its name, or the path of its file.
        options: How to run; the defaults where None.
        activity: Measured spikes for the estimate, where more images were counted than are run; by default those of
            `codes`.
        progress: Called with (steps done, steps of the whole run).
        bringup_progress: Called with (bring-up networks done, all of them).

    Returns:
        Checks, estimate, comparison and measurement.

    Raises:
        BoardError: the board does not exist, or its file has problems.
        ConfigurationError: an option is outside its range.
        DeploymentError: something that a board needs is missing; in a dry run the report lists it instead.
        LavaError: the run failed, or its time limit passed.
    """
    chosen = options or DeploymentOptions()
    _checked(network, chosen)
    entry = backend_of(chosen.backend)
    onto = board if isinstance(board, Board) else load_board(board)
    if not chosen.dry_run:
        require_software(entry)
    expected = _silent(network, len(codes), _tapped(network, chosen))
    oracle = reference.run(network, codes, expected)
    counted = activity or Activity.of(network, oracle.layers)
    mapping = map_measured(network, onto, counted, chosen.fill_chips)
    checks = preflight(network, onto, access=chosen.access, program=chosen.program, mapping=mapping, backend=entry)
    if entry.takes_programs and not chosen.skip_bringup:
        checks.append(ladder_check(chosen.program))
    if chosen.handover is not None:
        write_handover(network, codes[:HANDOVER_IMAGES], mapping.placement, chosen.handover)
        write_ladder_handover(chosen.handover / FOLDER)
    if not chosen.dry_run:
        _refuse(checks)
    estimate = estimate_board(network, mapping, counted)
    comparison, measurement = None, None
    ladder, reason = _bring_up(entry, chosen, bringup_progress)
    if not reason and chosen.dry_run:
        comparison, reason = _rehearse(entry, network, codes, oracle, chosen, progress)
    elif not reason:
        session = _session(entry, network, chosen, progress)
        choice = chosen.delays if ladder is None else DelayChoice.only(ladder.delays)
        comparison = _on_board(session, codes, expected, choice)
        if chosen.profile_steps is not None:
            measurement = _measure(session, codes, comparison.delays, chosen)
    return Report(
        network.name, chosen.dry_run, tuple(checks), estimate, comparison, reason, measurement, ladder, chosen.handover
    )


def _bring_up(
    entry: BackendEntry, options: DeploymentOptions, progress: Progress | None
) -> tuple[LadderRun | None, str]:
    """The bring-up networks, in a dry run on the stand-in board; and why nothing else runs, empty where it may."""
    if options.skip_bringup:
        return None, ""
    if options.dry_run:
        entry = STAND_IN
    settings = BoardSettings(options.access, options.stepping, options.timeout_s)
    programs = ladder_programs(options.program) if entry.takes_programs else {}
    choice = DelayChoice() if options.dry_run else options.delays
    done = climb(entry, settings, programs, choice, progress=progress)
    failed = [name for name, run in done.runs.items() if run.differences]
    return done, f"the bring-up networks {', '.join(failed)} differ from the oracle" if failed else ""


def _checked(network: Network, options: DeploymentOptions) -> None:
    checked_stepping(options.stepping)
    delays = {
        "input delay": options.input_delay,
        "output delay": options.output_delay,
        "state delay": options.state_delay,
    }
    for name, value in delays.items():
        if value is not None and not 0 <= value <= network.period_steps:
            raise ConfigurationError(f"{name}: must be in [0, {network.period_steps}] steps (a period), got {value}")
    if options.profile_steps is not None and options.profile_steps < network.period_steps:
        raise ConfigurationError(
            f"profile_steps: must be at least {network.period_steps} (one image), got {options.profile_steps}"
        )
    if options.compute_only and options.profile_steps is None:
        raise ConfigurationError("compute_only: requires a run that is measured; add --profile (profile_steps)")
    hidden = [p.name for p in network.hidden]
    unknown = [name for name in options.spikes_of or () if name not in hidden]
    if unknown:
        raise ConfigurationError(f"spikes_of: must be among {', '.join(hidden)}, got {', '.join(unknown)}")


def require_software(entry: BackendEntry) -> None:
    """Raise DeploymentError, in one line, when a package that a backend needs is missing; asked before any long work.

    Args:
        entry: The backend.
    """
    for check in (c for c in entry.software() if c.failed):
        found = check.found if check.name in check.found else f"{check.name} is {check.found}"
        remains = "" if "--dry-run" in check.remedy else "; without it, --dry-run does everything but the run"
        raise DeploymentError(f"{found}; {check.remedy}{remains}")


def require_ready(entry: BackendEntry, network: Network, settings: BoardSettings) -> None:
    """Raise DeploymentError when a backend lacks anything for a network but its programs.

    Args:
        entry: The backend.
        network: The network that is to run.
        settings: How the board is reached.
    """
    require_software(entry)
    _refuse(entry.requirements(network, settings))


def _refuse(checks: Sequence[Check]) -> None:
    """Raise DeploymentError with all that failed."""
    failed = [c for c in checks if c.failed]
    if failed:
        raise DeploymentError("not ready for the board:\n" + "\n".join(f"  {c}" for c in failed))


def _rehearse(
    entry: BackendEntry,
    network: Network,
    codes: NDArray[np.integer],
    oracle: Trace,
    options: DeploymentOptions,
    progress: Progress | None,
) -> tuple[BoardComparison | None, str]:
    """The run that the backend offers without a board; (None, why) where it cannot run here."""
    if entry.rehearsal is None:
        found = microcode_executor.run(network, codes)
        return compare_traces(network, oracle, found, INTERPRETER), ""
    reason = entry.rehearsal.why_not()
    if reason is not None:
        return None, reason
    found = entry.rehearsal.run(network, codes, options.timeout_s, progress)
    return compare_traces(network, oracle, found, entry.rehearsal.where), ""


def _tapped(network: Network, options: DeploymentOptions) -> tuple[str, ...]:
    """Populations whose spikes are read back."""
    if options.spikes_of is not None:
        return tuple(dict.fromkeys(options.spikes_of))
    read = [s.pre for p in network.readouts for s in network.synapses_onto(p.name) if s.pre != network.input.name]
    return tuple(dict.fromkeys(read))


def _silent(network: Network, images: int, spikes: Sequence[str]) -> StepTrace:
    return StepTrace.silent(network, images, spikes, [p.name for p in network.readouts])


def _session(
    entry: BackendEntry, network: Network, options: DeploymentOptions, progress: Progress | None
) -> BoardSession:
    settings = BoardSettings(options.access, options.stepping, options.timeout_s)
    files: dict[str, Path] = {}
    if entry.takes_programs:
        files = program_files(programmed(network), options.program)
    return BoardSession(entry, settings, network, files, progress)


def _on_board(
    session: BoardSession, codes: NDArray[np.integer], expected: StepTrace, choice: DelayChoice
) -> BoardComparison:
    """The run of all images, its delays found on the first; a difference is followed to the population it began in."""
    network = session.network

    def held(trace: StepTrace) -> StepTrace:
        return only_held(trace, network)

    if len(codes) > 1 and not choice.known:
        first_image = StepTrace(*({n: a[:1] for n, a in part.items()} for part in (expected.spikes, expected.v)))
        choice = DelayChoice.only(session.run(codes[:1], first_image, choice, held).delays)
    run = session.run(codes, expected, choice, held)
    first = ""
    hidden = [p.name for p in network.hidden]
    if run.differences and set(hidden) - set(expected.spikes):
        image = run.differences[0].image
        of_image = codes[image : image + 1]
        everything = _silent(network, 1, hidden)
        reference.run(network, of_image, everything)
        again = session.run(of_image, everything, DelayChoice.only(run.delays), held)
        first = str(replace(again.differences[0], image=image)) if again.differences else ""
    return compare_run(network, expected, run, session.entry.where, first)


def _measure(
    session: BoardSession, codes: NDArray[np.integer], delays: AdapterDelays | None, options: DeploymentOptions
) -> BoardMeasurement:
    steps = options.profile_steps
    assert steps is not None and delays is not None
    raw = session.measure(codes, steps, delays, options.compute_only)
    return BoardMeasurement(steps, session.network.period_steps, options.compute_only, raw)
