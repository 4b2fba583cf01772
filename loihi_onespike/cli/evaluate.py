"""onespike evaluate: accuracy, spikes and energy of a network on labelled data."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer
from rich.console import Console

from loihi_onespike.cli import inputs, options
from loihi_onespike.cli.command import Result, command
from loihi_onespike.cli.groups import grouped
from loihi_onespike.errors import ConfigurationError

if TYPE_CHECKING:
    from loihi_onespike.evaluation import Evaluation


@command
@grouped
def evaluate(
    context: typer.Context,
    target: Annotated[
        str,
        typer.Argument(
            metavar="NET.h5|MODEL",
            help="File that `onespike convert` wrote; or a model as for `convert`, which is converted first.",
        ),
    ],
    data: options.Data,
    conversion: options.Conversion,
    source: options.Source,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL", help="With NET.h5: the model it came from, to compare with; named as for `convert`."
        ),
    ] = None,
    weights: options.Weights = None,
    executor: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="fast: exact integers. float: real numbers, full wait. reference: the oracle, slow. lava: Lava's "
            "simulator. fast, reference and lava give the same spikes.",
        ),
    ] = "fast",
    images: options.Images = None,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> Result:
    """Accuracy with its 95 % interval, spikes per neuron, the energy measure α, latency and period.

    Options of the conversion are for a model; a file has been converted already.

    Example: onespike evaluate net.h5 --data test.npz --model model.py:build --weights weights.pt
    """
    keywords = conversion.keywords()
    from_file = inputs.is_network_file(target)
    if not from_file and model is not None:
        raise ConfigurationError(f"--model: found {model!r} beside the model {target!r}, supported with a NET.h5 only")
    given = [f.name for f in fields(conversion) if _is_given(context, f.name)] if from_file else []
    if given:
        listed = ", ".join("--" + n.replace("_", "-") for n in given)
        raise ConfigurationError(
            f"{listed}: found with the file {target}, which is converted already; convert it again"
        )
    inputs.choice("--executor", executor, ("fast", "float", "reference", "lava"))

    import loihi_onespike as los
    from loihi_onespike.cli.describe import conversion_text
    from loihi_onespike.cli.progress import ProgressBars
    from loihi_onespike.network import Executor

    net = los.load(inputs.existing(Path(target))) if from_file else None
    found = source.read(data, 1 if from_file else conversion.calibration_images)
    named = model if from_file else target
    module = None if named is None else inputs.read_model(named, weights)
    with ProgressBars() as bars:
        if net is None:
            assert module is not None
            inputs.remark_on_calibration(found, evaluated_too=True)
            net = los.convert(module, found.calibration, **keywords, progress=bars)
        part = found.take(images)
        evaluation = net.evaluate(
            part.images,
            part.labels,
            executor=cast(Executor, executor),
            model=module,
            progress=lambda done, of: bars("evaluate", done, of),
        )

    def show(console: Console) -> None:
        show_evaluation(console, evaluation, found.name, conversion_text(net.network))

    document = {
        **evaluation.to_dict(),
        "network": str(target),
        "data": found.name,
        "options": net.network.facts.get("options"),
    }
    return Result(document, show)


def _is_given(context: typer.Context, option: str) -> bool:
    source = context.get_parameter_source(option)
    return source is not None and source.name == "COMMANDLINE"


def show_evaluation(console: Console, evaluation: Evaluation, data: str, method: str) -> None:
    """For people: the figures, then spikes per population."""
    from loihi_onespike.cli.output import show_facts, show_table

    loss = evaluation.loss_pp
    rows = [
        ("method", method),
        ("ANN accuracy", evaluation.ann_accuracy),
        ("one-spike accuracy", evaluation.accuracy),
        ("loss", None if loss is None else f"{loss:+.2f} percentage points"),
        ("same class as the ANN", evaluation.agreement),
        ("spikes per hidden neuron", f"{evaluation.hidden_spikes_per_neuron:.3f} per image"),
        ("synaptic operations", f"{evaluation.synaptic_operations:,.0f} per image"),
        (
            "α FP32, INT8",
            f"{evaluation.alpha_fp32:.2f}, {evaluation.alpha_int8:.2f} times less energy than the ANN (Eq. 6)",
        ),
        ("latency, period", f"{evaluation.latency_steps}, {evaluation.period_steps} steps"),
    ]
    title = f"{data}: {evaluation.images} images, executor {evaluation.executor} (95 % intervals in brackets)"
    show_facts(console, title, [r for r in rows if r[1] is not None])
    rates = [(name, f"{rate:.3f}") for name, rate in evaluation.spikes_per_neuron.items()]
    show_table(console, "Spikes per neuron and image", ("population", "spikes"), rates)
