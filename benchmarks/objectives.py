"""Loss against α and period: the paper's method, and the objectives of `convert` with and without payload.

    python -m benchmarks.objectives --network resnet20/ --results curve.jsonl
    python -m benchmarks.objectives --network vgg16/ --images-of resnet20/ --images 2000 --results curve.jsonl
    python -m benchmarks.objectives --graph text_gcn_r8/ --results curve.jsonl
    python -m benchmarks.objectives --results curve.jsonl --plot curve.png --table curve.md

Folders of networks and images are those of `benchmarks.cifar10`, of graphs those of `benchmarks.text_gcn`. Every
setting is converted, evaluated on exact integers, and added to the file of results as one line; settings that the file
holds already are not measured again. Table and picture are made from the file. A spike with b bits of payload counts
as b + 1 additions in α (docs/arithmetic.md, Energy).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import loihi_onespike as los
from benchmarks.cifar10 import module_of
from benchmarks.command_line import command_parser
from benchmarks.text_gcn import load
from loihi_onespike.api import OneSpikeNetwork
from loihi_onespike.evaluation import Evaluation

BALANCED = {"objective": "balanced"}
SETTINGS: tuple[dict[str, Any], ...] = (
    {},
    BALANCED,
    {"timesteps": 4, "payload_bits": 3, "wait": 4, **BALANCED},
    {"objective": "energy", "max_loss": 0.8},
    {"timesteps": 4, "payload_bits": 3, "wait": 2, **BALANCED},
    {"timesteps": 2, "payload_bits": 4, "wait": 2, **BALANCED},
    {"method": "paper"},
    {"timesteps": 8, **BALANCED},
    {"price": 3.0, **BALANCED},
    {"price": 0.7, **BALANCED},
    {"timesteps": 4, "payload_bits": 2, **BALANCED},
    {"timesteps": 8, "payload_bits": 2, **BALANCED},
    {"timesteps": 8},
    {"timesteps": 12, **BALANCED},
)
"""Options of `convert`, the most telling ones first."""


def measure(net: OneSpikeNetwork, result: Evaluation, seconds: float) -> dict[str, Any]:
    """Figures of one setting.

    Args:
        net: the converted network.
        result: its evaluation.
        seconds: time of the conversion.
    """
    payload = max(p.code.payload_bits for p in net.network.hidden)
    return {
        "images": result.images,
        "loss_pp": result.loss_pp,
        "agreement": None if result.agreement is None else 100 * result.agreement.value,
        "spikes": result.hidden_spikes_per_neuron,
        "alpha_fp32": result.alpha_fp32,
        "payload_bits": payload,
        "period_steps": result.period_steps,
        "convert_seconds": seconds,
    }


def runs(args: argparse.Namespace, wanted: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Settings with their figures, one after the other."""
    if args.graph is not None:
        model, data, info = load(args.graph)
        labels, mask = info["labels"], info["test_mask"]
    else:
        source = module_of(args.images_of or args.network)
        model = module_of(args.network).load()
        images, labels = source.images("test")
        data = source.normalise(source.images("calibration")[0][: args.calibration_images])
    for setting in wanted:
        start = time.perf_counter()
        net = los.convert(model, data, **setting)
        seconds = time.perf_counter() - start
        if args.graph is not None:
            result = net.evaluate(data, labels, mask=mask)
        else:
            result = net.evaluate(source.normalise(images[: args.images]), labels[: args.images])
        yield setting, measure(net, result, seconds)


def text_of(setting: dict[str, Any]) -> str:
    """Options as a short text."""
    return ", ".join(f"{name}={value}" for name, value in setting.items()) or "objective=accuracy"


def read(path: Path) -> list[dict[str, Any]]:
    """Lines of a file of results."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def table(lines: list[dict[str, Any]]) -> str:
    """The results as a table in Markdown."""
    rows = [
        "| network | images | options | loss | agreement | spikes | α FP32 | period |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for line in sorted(lines, key=lambda line: (line["network"], line["loss_pp"])):
        rows.append(
            f"| {line['network']} | {line['images']} | {text_of(line['options'])} | {line['loss_pp']:.2f} pp "
            f"| {line['agreement']:.2f} % | {line['spikes']:.3f} | {line['alpha_fp32']:.2f} | {line['period_steps']} |"
        )
    return "\n".join(rows) + "\n"


def draw(lines: list[dict[str, Any]], path: Path) -> None:
    """Loss over α, one panel per network, with the period beside each point."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    networks = sorted({line["network"] for line in lines})
    figure, panels = plt.subplots(1, len(networks), figsize=(5 * len(networks), 4), squeeze=False, layout="constrained")
    for panel, network in zip(panels[0], networks, strict=True):
        for line in (line for line in lines if line["network"] == network):
            marker = "s" if line["payload_bits"] else "o"
            panel.plot(line["alpha_fp32"], line["loss_pp"], marker, color="C1" if line["payload_bits"] else "C0")
            panel.annotate(str(line["period_steps"]), (line["alpha_fp32"], line["loss_pp"]), fontsize=7)
        panel.set(title=network, xlabel="α (FP32)", ylabel="loss in percentage points")
        panel.grid(alpha=0.3)
    figure.suptitle("circles: no payload, squares: payload; beside each point its period in steps", fontsize=9)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main() -> None:
    """Run the command."""
    parser = command_parser(__doc__)
    parser.add_argument("--network", type=Path, metavar="FOLDER", help="folder of the network")
    parser.add_argument("--graph", type=Path, metavar="FOLDER", help="folder of a graph network instead")
    parser.add_argument("--images-of", type=Path, metavar="FOLDER", help="folder of the images (default: --network)")
    parser.add_argument("--calibration-images", type=int, default=512, metavar="N", help="default: 512")
    parser.add_argument("--images", type=int, metavar="N", help="use the first N test images (default: all)")
    parser.add_argument("--points", type=int, default=len(SETTINGS), metavar="N", help="measure the first N settings")
    parser.add_argument("--results", type=Path, required=True, metavar="FILE", help="a JSON object per line")
    parser.add_argument("--table", type=Path, metavar="FILE", help="write the table, in Markdown")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="write the picture")
    args = parser.parse_args()
    folder = args.graph or args.network
    if folder is not None:
        known = [line["options"] for line in read(args.results) if line["network"] == folder.name]
        for setting, figures in runs(args, [s for s in SETTINGS[: args.points] if s not in known]):
            line = {"network": folder.name, "options": setting, **figures}
            print(json.dumps(line), flush=True)
            with args.results.open("a") as file:
                file.write(json.dumps(line) + "\n")
    lines = read(args.results)
    if args.table is not None:
        args.table.write_text(table(lines))
    if args.plot is not None and lines:
        draw(lines, args.plot)


if __name__ == "__main__":
    main()
