r"""Loss against α, period and energy on a board: the paper's method, and the objectives of `convert`.

    python -m benchmarks.objectives --network resnet20/ --network vgg16/ --images-of resnet20/ --results curve.jsonl
    python -m benchmarks.objectives --graph text_gcn_r8/ --results curve.jsonl
    python -m benchmarks.objectives --network resnet20/ --images test.npz --calibration calibration.npz --jobs 16 \
        --time-budget 400 --results curve.jsonl
    python -m benchmarks.objectives --results curve.jsonl --plot curve.png --table curve.md

Folders of networks and images are those of `benchmarks.cifar10`, of graphs those of `benchmarks.text_gcn`;
NAME=FOLDER gives a name for the table. Every setting is converted and evaluated on exact integers, by processes of one
thread each, and added to the file of results as one line. Settings that the file holds already are not measured again;
networks and counts are kept in a folder and used by the next run, also one with other images. Table and picture are
made from the file. A spike with b bits of payload counts as b + 1 additions in α (docs/arithmetic.md, Energy).
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.command_line import command_parser
from benchmarks.curve_points import BOARD, Data, Point, measure_all

FULL: dict[str, Any] = {"objective": "balanced", "account": BOARD}
PAYLOAD = {"timesteps": 4, "payload_bits": 3}
SETTINGS: tuple[dict[str, Any], ...] = (
    {"timesteps": 2, "payload_bits": 4, "wait": 2, **FULL},
    {**PAYLOAD, "wait": 4, **FULL},
    {**PAYLOAD, "wait": 4, **FULL, "price": 3.0},
    {"objective": "balanced"},
    {"objective": "accuracy"},
    {"method": "paper", "objective": "accuracy"},
    {**PAYLOAD, "wait": 2, **FULL},
    {**PAYLOAD, "wait": 4, **FULL, "price": 5.0},
    {**PAYLOAD, "wait": 4, "objective": "energy", "account": BOARD},
    {"objective": "energy", "max_loss": 0.8},
    {"timesteps": 2, "payload_bits": 4, "wait": 2, **FULL, "price": 3.0},
    {"timesteps": 8, "objective": "balanced"},
    {**PAYLOAD, "wait": 4, "objective": "balanced"},
    {"objective": "balanced", "price": 3.0},
    {"timesteps": 3, "payload_bits": 4, "wait": 2, **FULL},
    {"timesteps": 3, "payload_bits": 4, "wait": 2, **FULL, "price": 4.0},
    {"timesteps": 8, "payload_bits": 2, **FULL},
    {"timesteps": 8, "objective": "accuracy"},
)
"""Options of `convert` for networks of images, the cheapest and most telling ones first."""
GRAPH_SETTINGS: tuple[dict[str, Any], ...] = (
    {"method": "paper", "objective": "accuracy"},
    {"objective": "accuracy"},
    {"objective": "balanced"},
    {**PAYLOAD, **FULL},
    {**PAYLOAD, **FULL, "price": 4.0},
    {**PAYLOAD, **FULL, "input_bits": 7},
    {"timesteps": 2, "payload_bits": 4, **FULL},
    {**PAYLOAD, **FULL, "input_bits": 8},
    {**PAYLOAD, **FULL, "input_bits": 8, "price": 4.0},
    {"timesteps": 2, "payload_bits": 4, **FULL, "input_bits": 8},
    {"timesteps": 8, "objective": "balanced"},
    {"timesteps": 8, "objective": "accuracy"},
    {"objective": "energy", "max_loss": 0.8},
    {"objective": "balanced", "price": 4.0},
)
"""The same for graph networks, whose input has more bits."""


def named(text: str) -> tuple[str, Path]:
    """Name and folder of NAME=FOLDER, or of FOLDER alone."""
    name, equals, folder = text.rpartition("=")
    return (name, Path(folder)) if equals else (Path(text).name, Path(text))


def text_of(setting: dict[str, Any]) -> str:
    """Options as a short text."""
    return ", ".join(f"{name}={value}" for name, value in setting.items()) or "defaults"


def read(path: Path) -> list[dict[str, Any]]:
    """Lines of a file of results."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def micro(nanojoules: float | None) -> str:
    """Energy in µJ as text."""
    return "" if nanojoules is None else f"{nanojoules / 1000:,.0f}"


def table(lines: list[dict[str, Any]]) -> str:
    """The results as a table in Markdown."""
    rows = [
        "| network | samples | options | loss, pp | agreement, % | spikes | α (all weights) | period | energy, µJ "
        "| and static, µJ | chips filled, µJ |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for line in sorted(lines, key=lambda line: (line["network"], line.get("energy_nj", 0), line["loss_pp"])):
        made = f"{line['alpha_fp32']:.2f}" if "alpha_fp32" in line else "–"  # results of earlier versions count all
        rows.append(
            f"| {line['network']} | {line['images']:,} | `{text_of(line['options'])}` | {line['loss_pp']:.2f} "
            f"| {line['agreement']:.2f} | {line['spikes']:.3f} | {made} ({line['alpha_all_fp32']:.2f}) "
            f"| {line['period_steps']} "
            f"| {micro(line.get('energy_nj'))} | {micro(line.get('total_nj'))} | {micro(line.get('filled_total_nj'))} |"
        )
    return "\n".join(rows) + "\n"


AXES = (
    ("alpha_all_fp32", "α (FP32), all weights", "linear", 1.0),
    ("period_steps", "period in steps", "linear", 1.0),
    ("energy_nj", f"energy per sample on {BOARD} in µJ", "log", 1e-3),
)
"""Figures that the picture shows loss against: name, label, scale of the axis, unit."""


def draw(lines: list[dict[str, Any]], path: Path) -> None:
    """Loss over α, period and energy: a row of panels per network, the same points in each."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    networks = sorted({line["network"] for line in lines})
    size = (4.3 * len(AXES), 3.4 * len(networks))
    figure, panels = plt.subplots(len(networks), len(AXES), figsize=size, squeeze=False, layout="constrained")
    for row, network in zip(panels, networks, strict=True):
        chosen = [line for line in lines if line["network"] == network]
        for panel, (name, label, scale, unit) in zip(row, AXES, strict=True):
            for line in chosen:
                if name not in line:  # results of earlier versions have no energy
                    continue
                marker, colour = ("s", "C1") if line["payload_bits"] else ("o", "C0")
                if line["options"].get("method") == "paper":
                    marker, colour = "^", "C2"
                panel.plot(unit * line[name], line["loss_pp"], marker, color=colour)
                panel.annotate(
                    f"{line['options'].get('timesteps', 16)}", (unit * line[name], line["loss_pp"]), (4, 3),
                    textcoords="offset points", fontsize=7,
                )  # fmt: skip
            panel.set(title=network, xlabel=label, ylabel="loss in percentage points", xscale=scale)
            panel.grid(alpha=0.3)
    figure.suptitle("triangles: the paper's method, circles: no payload, squares: payload; numbers: T", fontsize=9)
    figure.savefig(path, dpi=100)
    plt.close(figure)


def wanted(args: argparse.Namespace, lines: Sequence[dict[str, Any]]) -> list[Point]:
    """Points that are still to be measured: setting by setting, the networks in turn."""
    known = [(line["network"], line["options"]) for line in lines]
    found: list[tuple[int, Point]] = []
    given = None if args.settings is None else json.loads(args.settings.read_text())
    for texts, own, graph in ((args.network, SETTINGS, False), (args.graph, GRAPH_SETTINGS, True)):
        settings = own if given is None else given
        for name, folder in map(named, texts):
            points = [Point(name, folder, graph, setting) for setting in settings[: args.points]]
            found += [(i, p) for i, p in enumerate(points) if (p.network, p.options) not in known]
    return [point for _, point in sorted(found, key=lambda pair: pair[0])]


def main() -> None:
    """Run the command."""
    parser = command_parser(__doc__)
    parser.add_argument("--network", action="append", default=[], metavar="[NAME=]FOLDER", help="may be repeated")
    parser.add_argument("--graph", action="append", default=[], metavar="[NAME=]FOLDER", help="a graph network")
    parser.add_argument("--images-of", type=Path, metavar="FOLDER", help="folder of the images (default: the network)")
    parser.add_argument("--images", type=Path, metavar="FILE", help=".npz of test images: x (uint8), y")
    parser.add_argument("--calibration", type=Path, metavar="FILE", help=".npz of calibration images: x (uint8)")
    parser.add_argument("--calibration-images", type=int, default=512, metavar="N", help="default: 512")
    parser.add_argument("--first", type=int, metavar="N", help="use the first N test images (default: all)")
    parser.add_argument("--settings", type=Path, metavar="FILE", help="JSON list of options instead of those of here")
    parser.add_argument("--points", type=int, metavar="N", help="measure the first N settings (default: all)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes (default: cores)")
    parser.add_argument("--time-budget", type=float, metavar="SECONDS", help="stop after this time (default: none)")
    parser.add_argument("--results", type=Path, required=True, metavar="FILE", help="a JSON object per line")
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="unfinished settings (default: FILE.work)")
    parser.add_argument("--table", type=Path, metavar="FILE", help="write the table, in Markdown")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="write the picture")
    args = parser.parse_args()
    points = wanted(args, read(args.results))
    if points:
        data = Data(args.images_of, args.images, args.calibration, args.calibration_images, args.first)
        work = args.work or args.results.with_suffix(".work")
        for line in measure_all(points, data, work, args.jobs, args.time_budget):
            text = json.dumps(line)
            print(text, flush=True)
            with args.results.open("a") as file:
                file.write(text + "\n")
    lines = read(args.results)
    if args.table is not None:
        args.table.write_text(table(lines))
    if args.plot is not None and lines:
        draw(lines, args.plot)


if __name__ == "__main__":
    main()
