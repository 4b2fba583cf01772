"""onespike demo: the complete workflow on handwritten digits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from loihi_onespike.cli.arguments import inputs, options
from loihi_onespike.cli.arguments.groups import grouped
from loihi_onespike.cli.command import Result, command

if TYPE_CHECKING:
    from loihi_onespike.demo.walkthrough import DemoResult


@command
@grouped
def demo(
    conversion: options.DemoConversion,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="FOLDER", help="Folder for the files.", rich_help_panel=options.OUTPUT),
    ] = Path("onespike-demo"),
    images: Annotated[int, typer.Option(metavar="N", help="Test images that Lava runs one by one.", min=1)] = 50,
    stream_images: Annotated[
        int, typer.Option(metavar="N", help="Further test images that Lava runs as one pipelined stream.", min=1)
    ] = 10,
    timeout: options.Timeout = 600.0,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> Result:
    """Convert a small trained CNN, export it, run handwritten digits on Lava's simulator and check every spike.

    The network ships with the package and the data with scikit-learn; nothing is downloaded or trained. The exit status
    is 1 when a run differs from the oracle. Without Lava (on Pythons other than 3.10) the demo does everything else.

    Example: onespike demo --out onespike-demo
    """
    inputs.writable(out / "digits.h5")

    from loihi_onespike.cli.terminal.progress import ProgressBars
    from loihi_onespike.demo.walkthrough import run_demo

    with ProgressBars() as bars:
        result = run_demo(
            out,
            images=images,
            stream_images=stream_images,
            **conversion.keywords(),
            timeout_s=timeout,
            progress=bars,
        )
    return Result(result.to_dict(), lambda console: show_demo(console, result), failed=not result.equal)


def show_demo(console: Console, result: DemoResult) -> None:
    """Print accuracy, the comparison with the oracle, spikes, energy and files."""
    from loihi_onespike.cli.reports.describe import show_layers, show_rewrites
    from loihi_onespike.cli.terminal.output import show_facts, show_table, size_of

    integer = result.integer
    lava = result.lava_accuracy
    show_layers(console, result.network.network)
    show_rewrites(console, result.network.network)
    accuracies = [
        ("ANN (PyTorch)", integer.ann_accuracy),
        ("one-spike, float weights", result.floating.accuracy),
        ("one-spike, INT8", integer.accuracy),
        ("one-spike, INT8, on Lava", lava),
    ]
    rows = [(name, f"{100 * a.value:.2f} %", _interval(a.interval), a.total) for name, a in accuracies if a is not None]
    title = f"Accuracy on handwritten digits (test part; calibrated with {result.calibration_images} training images)"
    show_table(console, title, ("", "accuracy", "95 % interval", "images"), rows)
    compared = [
        (c.what, c.images, f"{c.spikes:,}", c.differing_spikes, "equal" if c.equal else c.first, f"{c.seconds:.1f} s")
        for c in result.comparisons
    ]
    columns = ("run", "images", "spike phases", "differing", "spikes and potentials", "time")
    show_table(console, "Compared with the oracle, neuron by neuron", columns, compared)
    if result.lava_missing:
        console.print(f"Lava did not run: {result.lava_missing}\n", markup=False)
    figures = [
        ("spikes per hidden neuron", f"{integer.hidden_spikes_per_neuron:.3f} per image (at most 1)"),
        ("synaptic operations", f"{integer.synaptic_operations:,.0f} per image"),
        (
            "α (Eq. 6)",
            f"{integer.alpha_fp32:.2f} FP32, {integer.alpha_int8:.2f} INT8: energy of the ANN over this one's "
            f"({integer.alpha_all_fp32:.2f} and {integer.alpha_all_int8:.2f} with additions of weights of 0)",
        ),
        ("latency", f"{integer.latency_steps} steps from the first input phase to the decision"),
        ("period", f"{integer.period_steps} steps between two images in the pipeline"),
    ]
    show_facts(console, "Spikes, energy, time", figures)
    described = {
        "network": "the network (NetX)",
        "picture": "spikes of one digit, phases per layer",
        "report": "all figures",
    }
    files = [(str(path), f"{described[name]}, {size_of(path)}") for name, path in result.files.items()]
    show_facts(console, f"Files ({result.seconds:.0f} s in all)", files)


def _interval(ends: tuple[float, float]) -> str:
    return f"[{100 * ends[0]:.2f}, {100 * ends[1]:.2f}]"
