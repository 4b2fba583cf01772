"""onespike evaluate: accuracy, spikes and energy of a network on labelled data."""

from __future__ import annotations

import sys
from math import isnan
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from loihi_onespike.cli.arguments import inputs, options
from loihi_onespike.cli.arguments.groups import grouped
from loihi_onespike.cli.arguments.job_options import JobArray
from loihi_onespike.cli.arguments.target import Target, check_target, network_of
from loihi_onespike.cli.command import INTERRUPTED, Result, command
from loihi_onespike.cli.execution.evaluate_shared import Sharing, Unfinished, counted, counted_by_jobs, state_of
from loihi_onespike.cli.execution.ranks import launched_ranks
from loihi_onespike.cli.terminal.progress import ProgressBars
from loihi_onespike.errors import ConfigurationError
from loihi_onespike.executors.registry import entry_of

if TYPE_CHECKING:
    from loihi_onespike.core.graphs.network import Network
    from loihi_onespike.evaluation import Evaluation
    from loihi_onespike.evaluation.evaluator import Evaluator


@command
@grouped
def evaluate(
    context: typer.Context,
    target: Target,
    data: options.Data,
    conversion: options.Conversion,
    source: options.Source,
    jobs: JobArray,
    sharing: Sharing,
    seed: options.Seed = 0,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL", help="With NET.h5: the model that was converted, to compare with; named as for `convert`."
        ),
    ] = None,
    weights: options.Weights = None,
    executor: options.ExecutorName = "fast",
    device: options.Device = "cpu",
    images: options.Images = None,
    board: options.PricesOf = None,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> Result:
    """Measure accuracy with its 95 % interval, spikes per neuron, the energy ratio α, latency and period.

    The options of the conversion apply to a model; a file is converted already. Under torchrun all ranks share the
    images, with --slurm the jobs do; the result is the same to the last digit.

    Example: onespike evaluate net.h5 --data test.npz --model model.py:build --weights weights.pt
    """
    from_file = check_target(context, target, model, conversion)
    entry_of(executor, "--executor")
    inputs.check_model(model if from_file else target, weights)
    source.check(data)
    sharing.check(jobs)
    inputs.check_board(board)
    if jobs.require() and not from_file:
        raise ConfigurationError(
            f"--slurm: requires a NET.h5, got the model {target!r}; convert it first, or every job would convert it"
        )
    evaluator: Evaluator | None = None
    speaks = True
    try:
        with launched_ranks(sharing.rank_timeout) as ranks:
            speaks = ranks is None or ranks.is_first
            with ProgressBars(silent=not speaks) as bars:
                found = source.read(data, 1 if from_file else conversion.calibration_images, seed)
                named = model if from_file else target
                module = None if named is None else inputs.read_model(named, weights)
                net = network_of(target, module, found, conversion, bars).to(device)
                part = found.take(images)
                evaluator = net.evaluator(part.images, part.labels, executor, module, sharing.batch)
                if jobs.slurm is not None and sharing.resume is not None:
                    counts = counted_by_jobs(context, evaluator, sharing.resume, jobs, bars)
                else:
                    counts = counted(evaluator, sharing.resume, sharing.shard, ranks, bars)
    except KeyboardInterrupt:
        if sharing.resume is None or evaluator is None or not speaks:
            raise
        print(f"\nonespike: interrupted; {state_of(evaluator, sharing.resume)}", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None
    if not speaks:
        raise typer.Exit
    facts = {"network": str(target), "data": found.name, "options": net.network.facts.get("options")}
    if isinstance(counts, Unfinished):
        state = counts
        return Result({**state.to_dict(), **facts}, lambda console: console.print(str(state), markup=False))
    evaluation = net.evaluation_of(evaluator, counts, board)

    def show(console: Console) -> None:
        from loihi_onespike.core.graphs.network_tables import conversion_text

        show_evaluation(console, evaluation, found.name, conversion_text(net.network))
        console.print(energy_sentence(evaluation, net.network), markup=False)

    return Result({**evaluation.to_dict(), **facts}, show)


def energy_sentence(evaluation: Evaluation, network: Network) -> str:
    """What α says beside what a board takes, in one sentence, so that neither is read alone.

    Args:
        evaluation: result of the evaluation, with the energy of a board where one was named.
        network: the network.
    """
    from loihi_onespike.boards.energy.break_even import PJ_PER_NJ, PaperBalance
    from loihi_onespike.boards.energy.figures import energy_text
    from loihi_onespike.evaluation.alpha import INT8

    balance = PaperBalance.of(network, evaluation.spikes_per_neuron, {})
    if balance is None:
        return "Energy: the file does not record the operations of its ANN, so they cannot be compared."
    ann_nj = balance.macs * INT8.mac_pj / PJ_PER_NJ
    alpha = evaluation.alpha_int8
    said = f"{alpha:.2f} times less than" if alpha >= 1 else f"{1 / alpha:.2f} times more than"
    arithmetic = f"Energy: by arithmetic alone the network takes {said} the ANN (INT8, Eq. 6)"
    if evaluation.energy_nj is None:
        return (
            f"{arithmetic}; with memory, neuron updates and static power it may take more than the ANN: --board BOARD "
            "or `onespike profile` counts them."
        )
    ratio = evaluation.energy_nj / ann_nj if ann_nj else float("inf")
    times = f"{ratio:.2f} times as much as" if ratio >= 1 else f"{1 / ratio:.2f} times less than"
    return (
        f"{arithmetic}; with the synapses and neuron updates of {evaluation.board} it takes "
        f"{energy_text(evaluation.energy_nj)} per image, {times} the bare arithmetic of the ANN "
        f"({energy_text(ann_nj)}), and hops and static power come on top (`onespike profile`)."
    )


def show_evaluation(console: Console, evaluation: Evaluation, data: str, method: str) -> None:
    """Print the figures of the evaluation and the spikes per population.

    Args:
        console: where they are printed.
        evaluation: result of the evaluation.
        data: name of the data.
        method: method of the conversion as text.
    """
    from loihi_onespike.boards.energy.figures import energy_text
    from loihi_onespike.cli.reports.population_costs import show_costs
    from loihi_onespike.cli.terminal.output import show_facts

    loss = evaluation.loss_pp
    rows = [
        ("method", method),
        ("ANN accuracy", evaluation.ann_accuracy),
        ("one-spike accuracy", evaluation.accuracy),
        ("loss", None if loss is None else f"{loss:+.2f} percentage points"),
        ("same class as the ANN", evaluation.agreement),
        ("spikes per hidden neuron", f"{evaluation.hidden_spikes_per_neuron:.3f} per image"),
        (
            "synaptic operations",
            f"{evaluation.synaptic_operations:,.0f} per image, {evaluation.nonzero_operations:,.0f} of them with "
            "weights other than 0",
        ),
        (
            "α FP32, INT8",
            "not recorded in the file"
            if isnan(evaluation.alpha_fp32)
            else f"{evaluation.alpha_fp32:.2f}, {evaluation.alpha_int8:.2f}: arithmetic of the ANN over the additions "
            "here, in energy (Eq. 6)",
        ),
        (
            "α with all weights",
            None
            if isnan(evaluation.alpha_fp32) or evaluation.alpha_fp32 == evaluation.alpha_all_fp32
            else f"{evaluation.alpha_all_fp32:.2f}, {evaluation.alpha_all_int8:.2f}: as the paper counts, with an "
            "addition for weights of 0 too",
        ),
        (
            "price of a spike in α",
            f"{evaluation.additions_per_spike} additions at most, because it carries a message"
            if evaluation.additions_per_spike > 1
            else None,
        ),
        (
            "energy on the board",
            None
            if evaluation.energy_nj is None
            else f"{energy_text(evaluation.energy_nj)} per image on {evaluation.board}, without hops between tiles and "
            f"static power ({evaluation.energy_source})",
        ),
        ("latency, period", f"{evaluation.latency_steps}, {evaluation.period_steps} steps"),
    ]
    title = f"{data}: {evaluation.images} images, executor {evaluation.executor} (95 % intervals in brackets)"
    show_facts(console, title, [r for r in rows if r[1] is not None])
    show_costs(console, evaluation.populations, "Spikes and costs of the populations, per image")
