"""From a network to a report: preflight, map, run on the board (or rehearse without one), compare, measure."""

from __future__ import annotations

from collections.abc import Mapping as Named
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.boards.deployment.access import DEFAULT_STEPPING, STEPPINGS, Access, Slurm
from loihi_onespike.boards.deployment.board_job import BoardJob
from loihi_onespike.boards.deployment.board_runner import Progress, run_on_board
from loihi_onespike.boards.deployment.checks import Check, preflight, software
from loihi_onespike.boards.deployment.comparison import BoardComparison, compare_board, compare_traces
from loihi_onespike.boards.deployment.deployment_report import Report
from loihi_onespike.boards.deployment.measurement import BoardMeasurement
from loihi_onespike.boards.energy.activity import Activity
from loihi_onespike.boards.energy.estimate import estimate_board
from loihi_onespike.boards.mapping import map_network
from loihi_onespike.boards.specification import load_board
from loihi_onespike.boards.specification.spec import Board
from loihi_onespike.core.graphs.network import InputPopulation, Network
from loihi_onespike.core.trace import Trace
from loihi_onespike.errors import ConfigurationError, DeploymentError
from loihi_onespike.executors import lava as lava_backend
from loihi_onespike.executors import reference
from loihi_onespike.executors.lava import nc

Program = str | Path | Named[str, str | Path]


@dataclass(frozen=True)
class DeploymentOptions:
    """Options of a deployment.

    Attributes:
        access: How the board is reached.
        stepping: Stepping of its chips, one of `access.STEPPINGS`.
        program: Microcode files, as `executors.lava.nc.program_files` takes them.
        dry_run: Do everything except using a board: the graph runs on Lava's CPU backend.
        profile_steps: Also measure time and energy, in a second run of this many steps; 2,000 to 10,000 are advisable.
        compute_only: Measure with the first image replayed from the chip, the host out of the loop.
        spikes_of: Names of the populations whose spikes are read back; by default those that the readout reads.
        input_delay: Steps that the input adapter adds; 1 according to remarks in public notebooks [C].
        output_delay: Steps that the output adapters add; 1 according to the same remarks [C].
        timeout_s: Time limit of each run in s, waiting for the board included; None for no limit.
    """

    access: Access = field(default_factory=Slurm)
    stepping: str = DEFAULT_STEPPING
    program: Program | None = None
    dry_run: bool = False
    profile_steps: int | None = None
    compute_only: bool = False
    spikes_of: Sequence[str] | None = None
    input_delay: int = 1
    output_delay: int = 1
    timeout_s: float | None = None


def deploy(
    network: Network,
    codes: NDArray[np.integer],
    board: Board | str,
    options: DeploymentOptions | None = None,
    *,
    activity: Activity | None = None,
    progress: Progress | None = None,
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
    onto = board if isinstance(board, Board) else load_board(board)
    if not chosen.dry_run:
        require_software()
    oracle = reference.run(network, codes)
    counted = activity or Activity.of(network, oracle.layers)
    mapping = map_network(network, onto, counted.per_neuron())
    checks = preflight(network, onto, access=chosen.access, program=chosen.program, mapping=mapping)
    if not chosen.dry_run:
        _refuse(checks)
    estimate = estimate_board(network, mapping, counted)
    comparison, reason, measurement = None, "", None
    if chosen.dry_run:
        comparison, reason = _rehearse(network, codes, oracle, chosen, progress)
    else:
        comparison = _on_board(network, codes, oracle, chosen, progress)
        if chosen.profile_steps is not None:
            measurement = _measure(network, codes, chosen, progress)
    return Report(network.name, chosen.dry_run, tuple(checks), estimate, comparison, reason, measurement)


def _checked(network: Network, options: DeploymentOptions) -> None:
    if options.stepping not in STEPPINGS:
        raise ConfigurationError(f"stepping: must be one of {', '.join(STEPPINGS)}, got {options.stepping!r}")
    for name, value in (("input delay", options.input_delay), ("output delay", options.output_delay)):
        if not 0 <= value <= network.period_steps:
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


def require_software() -> None:
    """Raise DeploymentError, in one line, when Lava or lava-loihi is missing; asked before any long work."""
    lava, lava_loihi = software()
    if lava.failed:
        raise DeploymentError(f"{lava.found}; {lava.remedy}; without it, --dry-run does everything but the run")
    if lava_loihi.failed:
        raise DeploymentError(f"{lava_loihi.name} is {lava_loihi.found}; {lava_loihi.remedy}")


def _refuse(checks: Sequence[Check]) -> None:
    """Raise DeploymentError with all that failed."""
    failed = [c for c in checks if c.failed]
    if failed:
        raise DeploymentError("not ready for the board:\n" + "\n".join(f"  {c}" for c in failed))


def _rehearse(
    network: Network, codes: NDArray[np.integer], oracle: Trace, options: DeploymentOptions, progress: Progress | None
) -> tuple[BoardComparison | None, str]:
    """The same graph on Lava's CPU backend, with Lava's own synapses; (None, why) where Lava cannot run."""
    reason = lava_backend.why_unavailable()
    if reason is not None:
        return None, reason
    found = lava_backend.run(network, codes, synapses="stock", timeout_s=options.timeout_s, progress=progress)
    return compare_traces(oracle, found, network.readout.name), ""


def _on_board(
    network: Network, codes: NDArray[np.integer], oracle: Trace, options: DeploymentOptions, progress: Progress | None
) -> BoardComparison:
    run = run_on_board(_job(network, options, None), network, codes, timeout_s=options.timeout_s, progress=progress)
    return compare_board(network, oracle, run)


def _measure(
    network: Network, codes: NDArray[np.integer], options: DeploymentOptions, progress: Progress | None
) -> BoardMeasurement:
    """A run of its own, with the images over and over and nothing read back."""
    steps = options.profile_steps
    assert steps is not None
    images = -(-steps // network.period_steps)
    repeated = np.resize(codes, (images, *codes.shape[1:]))
    job = _job(network, options, steps)
    run = run_on_board(job, network, repeated, timeout_s=options.timeout_s, progress=progress)
    assert run.measured is not None
    return BoardMeasurement(steps, network.period_steps, options.compute_only, run.measured)


def _job(network: Network, options: DeploymentOptions, steps: int | None) -> BoardJob:
    populations = [p.name for p in network.populations if not isinstance(p, InputPopulation)]
    files = nc.program_files(populations, options.program)
    read = [s.pre for s in network.synapses_onto(network.readout.name) if s.pre != network.input.name]
    taps = read if options.spikes_of is None else list(options.spikes_of)
    return BoardJob(
        options.access,
        options.stepping,
        {name: str(path.resolve()) for name, path in files.items()},
        tuple(dict.fromkeys(taps)) if steps is None else (),
        options.input_delay,
        options.output_delay,
        steps,
        options.compute_only and steps is not None,
    )
