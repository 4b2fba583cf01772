"""Text GCN of the Reuters R8 corpus as a one-spike network: accuracy, agreement, spikes, α, time and memory.

    python -m benchmarks.text_gcn --data text_gcn_r8/ --timesteps 12 --json r8.json
    python -m benchmarks.text_gcn --data text_gcn_r8/ --method paper --base 1.3

FOLDER holds `graph.npz`, `weights.pt` and `model.py` with `load(folder) -> (model, adjacency, info)`. The second
command measures the row of the paper (arXiv 2403.08786, Table V): T = 16, full wait, channel maxima, INT8 weights.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import resource
import time
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch

import loihi_onespike as los
from benchmarks.command_line import command_parser, write_json
from loihi_onespike.conversion.options import option_infos
from loihi_onespike.core.encoding import encode_input
from loihi_onespike.executors.fast.fast_options import FastOptions

REPEATS = 5


def load(folder: Path) -> tuple[Any, Any, Any]:
    """Model, adjacency matrix, and a mapping with labels and test_mask."""
    spec = importlib.util.spec_from_file_location("text_gcn_model", folder / "model.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load(str(folder))


def best_seconds(run: Callable[[], object]) -> float:
    """Time of the fastest run in seconds, after one run that compiles and allocates."""
    run()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def peak_mib() -> float:
    """Peak memory of the process in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """All figures for the options of the command line."""
    model, adjacency, info = load(args.data)
    labels, mask = info["labels"], info["test_mask"]
    with torch.no_grad():
        ann_seconds = best_seconds(lambda: model(adjacency))
    start, before = time.perf_counter(), peak_mib()
    net = los.convert(
        model,
        adjacency,
        timesteps=args.timesteps,
        base=args.base,
        wait=args.wait,
        input_bits=args.input_bits,
        method=args.method,
    )
    convert_seconds, convert_mib = time.perf_counter() - start, peak_mib()
    rows: dict[str, Any] = {}
    facts: Mapping[str, Any] = net.network.facts
    for name in ("float", "fast"):
        result = net.evaluate(adjacency, labels, name, mask=mask)
        rows[name] = result.to_dict()
        # Eq. 6 counts a layer's operations once for both networks; the ANN itself multiplies in the cheaper order.
        written = facts["graph"]["ann_macs_as_written"] / sum(facts["ann_macs"].values())
        for label in ("alpha_fp32", "alpha_int8", "alpha_all_fp32", "alpha_all_int8"):
            rows[name][f"{label}_own_order"] = getattr(result, label) * written
    values: Any = net.input_values(adjacency)
    codes = encode_input(net.network.input, values)
    return {
        "options": {k: getattr(args, k) for k in ("timesteps", "base", "wait", "input_bits", "method")},
        "graph": {"nodes": int(adjacency.shape[0]), "non_zeros": int(adjacency._nnz()), "test": int(mask.sum())},
        "threads": torch.get_num_threads(),
        "ann_macs": dict(facts["ann_macs"]),
        "results": rows,
        "seconds": {
            "ann_forward": ann_seconds,
            "convert": convert_seconds,
            "fast_predict": best_seconds(lambda: net.predict(adjacency)),
            "fast_without_encoding": best_seconds(lambda: net.executor("fast").predict(codes, FastOptions())),
            "float_predict": best_seconds(lambda: net.predict(adjacency, "float")),
        },
        "peak_mib": {"before_convert": before, "after_convert": convert_mib, "all": peak_mib()},
    }


def show(report: dict[str, Any]) -> None:
    """Print the report of `measure`."""
    fast, seconds = report["results"]["fast"], report["seconds"]
    print(f"{'':12}{'accuracy [95 %]':32}{'agreement':>10}{'loss pp':>9}{'spikes':>8}{'α FP32':>8}{'α INT8':>8}")
    rows = {"ANN": None, "float SNN": report["results"]["float"], "INT8 SNN": fast}
    for name, row in rows.items():
        a = fast["ann_accuracy"] if row is None else row["accuracy"]
        low, high = a["interval"]
        text = f"{100 * a['value']:.2f} % [{100 * low:.2f}, {100 * high:.2f}]"
        if row is None:
            print(f"{name:12}{text:32}")
            continue
        agreement = f"{100 * row['agreement']['value']:.2f} %"
        figures = (row["loss_pp"], row["hidden_spikes_per_neuron"], row["alpha_fp32"], row["alpha_int8"])
        numbers = "".join(f"{x:>{w}.2f}" for x, w in zip(figures, (9, 8, 8, 8), strict=True))
        print(f"{name:12}{text:32}{agreement:>10}{numbers}")
    print("spikes per neuron", {k: round(v, 3) for k, v in fast["spikes_per_neuron"].items()}, "(input: per non-zero)")
    kinds = {"alpha_{}_own_order": "", "alpha_all_{}_own_order": ", with additions of weights of 0"}
    for kind, which in kinds.items():
        own = [fast[kind.format(precision)] for precision in ("fp32", "int8")]
        print(f"against the ANN in its own order, A (h W){which}: α FP32 {own[0]:.2f}, α INT8 {own[1]:.2f}")
    ratio = seconds["fast_predict"] / seconds["ann_forward"]
    print("seconds", {k: round(v, 3) for k, v in seconds.items()}, f"fast / ANN forward {ratio:.1f}×")
    print("peak MiB", {k: round(v) for k, v in report["peak_mib"].items()})


def main() -> None:
    """Run the command."""
    parser = command_parser(__doc__)
    options = option_infos()
    base, input_bits = (partial(options[name].read, f"--{name.replace('_', '-')}") for name in ("base", "input_bits"))
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="folder of the graph and the model")
    parser.add_argument("--timesteps", type=int, default=16, metavar="T", help="default: 16")
    parser.add_argument("--base", type=base, default="auto", metavar="Q", help="base or auto (default: auto)")
    parser.add_argument("--wait", type=int, metavar="N", help="steps before the first decision (default: T)")
    parser.add_argument("--input-bits", type=input_bits, default="auto", metavar="N", help="default: auto")
    parser.add_argument("--method", choices=("calibrated", "paper"), default="calibrated", help="default: calibrated")
    args = parser.parse_args()
    warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
    report = measure(args)
    show(report)
    write_json(args.json, report)
    if args.json is None:
        print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
