"""onespike diagnose: which layers lose accuracy, why, and what would help."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer
from rich.console import Console

from loihi_onespike.cli.arguments import inputs, options
from loihi_onespike.cli.arguments.groups import grouped
from loihi_onespike.cli.arguments.pictures import check_picture, picture, plot_option
from loihi_onespike.cli.arguments.target import Target, check_target, network_of
from loihi_onespike.cli.command import Result, command
from loihi_onespike.errors import ConfigurationError

if TYPE_CHECKING:
    from loihi_onespike.analysis.diagnosis import Diagnosis


@command
@grouped
def diagnose(
    context: typer.Context,
    target: Target,
    data: options.Data,
    conversion: options.Conversion,
    source: options.Source,
    seed: options.Seed = 0,
    model: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Required with NET.h5: the converted model; named as for `convert`."),
    ] = None,
    weights: options.Weights = None,
    images: options.FewImages = 256,
    top: Annotated[int, typer.Option("--top", metavar="K", help="Layers whose remedy is printed.", min=1)] = 5,
    measure: Annotated[
        str,
        typer.Option(
            "--measure",
            metavar="NAME",
            help="Measure of the output error: relative (squared error relative to the ANN's output) or kl (divergence "
            "of the class probabilities).",
        ),
    ] = "relative",
    board: options.PricesOf = None,
    plot: Annotated[Path | None, plot_option("Picture, layer by layer")] = None,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> Result:
    """Measure where the network loses accuracy against its ANN, by layer and cause.

    The causes are underflow, clipping, rounding, noise spikes, integer weights and head-room. Each is measured by
    switching it off in the network, and by switching it on alone in the ANN. Ctrl-C ends the measurement with the
    results so far. The options of the conversion apply to a model; a file is converted already.

    Example: onespike diagnose net.h5 --model model.py:build --weights weights.pt --data test.npz
    """
    from_file = check_target(context, target, model, conversion)
    inputs.choice("--measure", measure, ("relative", "kl"))
    if from_file and model is None:
        raise ConfigurationError(
            f"--model: required with {target}, because errors are measured against the model; name the converted model"
        )
    check_picture(plot)
    inputs.check_board(board)
    inputs.check_model(model if from_file else target, weights)
    source.check(data)

    from loihi_onespike.analysis import diagnosis
    from loihi_onespike.cli.terminal.progress import ProgressBars

    found = source.read(data, 1 if from_file else conversion.calibration_images, seed)
    module = inputs.read_model(cast(str, model if from_file else target), weights)
    with ProgressBars() as bars:
        net = network_of(target, module, found, conversion, bars)
        part = found.take(images)
        result = diagnosis.diagnose(
            net,
            part.images,
            part.labels,
            model=module,
            progress=lambda done, of: bars("diagnose", done, of),
            measure=cast(Literal["relative", "kl"], measure),
            board=board,
        )
    if plot is not None:
        from loihi_onespike.analysis.plots.diagnosis import diagnosis_size, draw_diagnosis

        with picture(plot, diagnosis_size(result)) as figure:
            draw_diagnosis(figure.subplots(), result)
    document = {**result.document(), "file": str(target), "data": found.name}
    return Result(document, lambda console: show_diagnosis(console, result, found.name, top))


def show_diagnosis(console: Console, found: Diagnosis, data: str, top: int) -> None:
    """Print the errors, their causes, the layers and the remedies.

    Args:
        console: where they are printed.
        found: result of the diagnosis.
        data: name of the data.
        top: number of layers for which a remedy is printed.
    """
    from loihi_onespike.analysis.diagnosis.causes import NAMES
    from loihi_onespike.cli.reports.population_costs import show_costs
    from loihi_onespike.cli.terminal.output import show_facts, show_table

    def share(value: float) -> str:
        return f"{100 * found.share(value):.1f}"

    stopped = f" of {found.requested}, interrupted" if found.interrupted else ""
    errors = [(f"error of the {name}", e) for name, e in (("integers", found.integer), ("real numbers", found.error))]
    rows = [
        (name, f"{e.relative:.4f} relative, KL {e.kl:.4f}, {100 * e.agreement:.1f} % same class") for name, e in errors
    ]
    show_facts(console, f"{found.network} on {found.images}{stopped} images of {data}", rows)
    everywhere: list[tuple[object, ...]] = [
        (NAMES[c], share(y.alone), share(y.value), share(y.uncertainty)) for c, y in found.everywhere.items()
    ]
    alone = found.total - sum(y.alone for y in found.everywhere.values())
    everywhere.append(("interaction", share(alone), share(found.interaction_of_causes), None))
    columns = ("cause, everywhere", "alone", "gain", "±")
    show_table(
        console, "Causes, in % of the network's error (alone: in the ANN; gain: switched off)", columns, everywhere
    )
    causes = list(found.everywhere)
    layers = [
        (y.name, *(share(y.losses[c].alone) if c in y.losses else None for c in causes), share(y.total.alone),
         share(y.total.value), share(y.total.uncertainty))
        for y in found.layers
    ]  # fmt: skip
    headed = ("layer", *(c.value for c in causes), "all", "gain", "±")
    show_table(console, "Layers: every cause alone, all causes of the layer alone, gain without them", headed, layers)
    title = "Costs of the populations per image, and their error alone as a share of the network's error"
    show_costs(console, found.costs, title, found.error_shares)
    console.print(found.sentence, markup=False)
    for layer in [y for y in found.ranked if y.remedy][:top]:
        console.print(f"- {layer.remedy}", markup=False)
