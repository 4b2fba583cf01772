"""onespike run: a network file on Lava's simulator, checked against the oracle."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from rich.console import Console

from loihi_onespike.cli.arguments import inputs, options
from loihi_onespike.cli.arguments.groups import grouped
from loihi_onespike.cli.command import Result, command


@command
@grouped
def run(
    file: options.NetFile,
    data: options.Data,
    source: options.Source,
    images: options.FewImages = 4,
    stream: Annotated[
        bool,
        typer.Option(
            "--stream/--no-stream",
            help="Start a new image every period, several in the pipeline at a time; or one after the other.",
        ),
    ] = True,
    processes: Annotated[
        str,
        typer.Option(
            metavar="graph|whole",
            help="A Lava process per population and synapse group, or one for the whole network: same spikes, faster.",
        ),
    ] = "graph",
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Compare every spike and potential with the oracle.")
    ] = True,
    timeout: options.Timeout = 600.0,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> Result:
    """Run images on Lava's CPU simulator in fixed point and compare every spike and potential with the oracle.

    The exit status is 1 when anything differs. Lava needs Python 3.10.

    Example: onespike run net.h5 --data digits --images 10 --processes whole
    """
    inputs.existing(file)
    source.check(data)

    import numpy as np

    import loihi_onespike as los
    from loihi_onespike.cli.terminal.output import show_facts
    from loihi_onespike.cli.terminal.progress import ProgressBars
    from loihi_onespike.core.trace import differing_spikes, first_difference
    from loihi_onespike.data.checks import class_labels
    from loihi_onespike.errors import DataError
    from loihi_onespike.evaluation.evaluation import Accuracy
    from loihi_onespike.evaluation.evaluator import classes_of
    from loihi_onespike.evaluation.input_tally import InputTally

    net = los.load(file)
    part = source.read(data).take(images)
    x = part.images[:]
    several = net.outputs is not None  # whose outputs are no scores of classes
    labels = None
    if not several:
        labels = class_labels(f"{part.name}: labels", part.labels, len(x), classes_of(net.network), DataError)
    tally = InputTally(net.network)
    tally.checked(net.input_values(x))
    with ProgressBars() as bars:
        start = time.perf_counter()
        trace = net.trace(
            x,
            "lava",
            stream=stream,
            processes=processes,
            timeout_s=timeout,
            progress=lambda done, of: bars("Lava steps", done, of),
        )
        seconds = time.perf_counter() - start
        oracle = net.trace(x, "reference") if check else None
    chosen = None if several else trace.output.argmax(axis=1)
    accuracy = None if chosen is None else Accuracy(int(np.sum(chosen == labels)), len(part))
    spikes = None if oracle is None else differing_spikes(oracle, trace)
    difference = None if oracle is None else first_difference(oracle, trace)

    def show(console: Console) -> None:
        compared = "not compared (--no-check)" if spikes is None else f"{spikes} spikes differ"
        rows = [
            ("accuracy", "not measured, the network has several outputs" if accuracy is None else accuracy),
            ("against the oracle", compared if difference is None else f"{compared}; {difference}"),
            ("time", f"{seconds:.1f} s, {'a stream' if stream else 'one image after the other'}"),
            ("latency, period", f"{net.latency_steps}, {net.period_steps} steps"),
        ]
        title = f"{file} on Lava: {len(part)} images of {part.name} (95 % interval in brackets)"
        show_facts(console, title, rows)

    document = {
        "network": str(file),
        "data": part.name,
        "images": len(part),
        "stream": stream,
        "processes": processes,
        "accuracy": None if accuracy is None else accuracy.to_dict(),
        "classes": chosen,
        "differing_spikes": spikes,
        "first_difference": None if difference is None else str(difference),
        "clipped_inputs": tally.outside,
        "clipped_share": tally.share,
        "seconds": seconds,
        "latency_steps": net.latency_steps,
        "period_steps": net.period_steps,
    }
    return Result(document, show, failed=difference is not None)
