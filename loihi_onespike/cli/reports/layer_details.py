"""One population in detail, for `onespike inspect --layer`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from loihi_onespike.cli.reports.describe import layer_rows, synapse_rows
from loihi_onespike.cli.terminal.output import shape_of, show_facts, show_table
from loihi_onespike.core.graphs.network import InputPopulation, Network, Population


def layer_document(network: Network, name: str) -> dict[str, Any]:
    """Everything that a file holds about one population, as values for JSON."""
    p = network.by_name[name]
    (row,) = (r for r in layer_rows(network) if r.name == name)
    document: dict[str, Any] = asdict(row)
    synapses = synapse_rows(network)
    document["reads"] = [asdict(s) for s in synapses if s.post == name]
    document["read_by"] = [asdict(s) for s in synapses if s.pre == name]
    recorded = network.facts.get("headroom")
    document["headroom"] = recorded.get(name) if isinstance(recorded, dict) else None
    if isinstance(p, InputPopulation):
        return document | {"code": type(p.code).__name__, "scale": _range(p.scale), "offset": _range(p.offset)}
    membrane = p.membrane
    document |= {
        "leak": [gain / 4096 for gain in membrane.leak],
        "input_steps": membrane.input_steps,
        "input_shift": membrane.input_shift,
        "bias": _range(membrane.bias),
        "unit": _range(membrane.unit),
    }
    if isinstance(p, Population):
        code = p.code
        thresholds = p.table.thresholds(p.threshold.ravel().astype(np.int64)).reshape(len(code.messages), -1)
        phases = code.phase_of(code.words()[1:]).tolist()
        document |= {
            "scale": _range(p.scale),
            "signed": p.signed,
            "phases": [
                {"phase": k, "message": message, "level": float(level), "threshold": _range(theta)}
                for k, message, level, theta in zip(phases, code.messages, code.levels(), thresholds, strict=True)
            ],
        }
    return document


def _range(values: NDArray[Any]) -> list[float | int]:
    """[smallest, largest]."""
    return [values.min().item(), values.max().item()]


def show_layer(console: Console, network: Network, name: str) -> None:
    """Print the content of `layer_document` as text.

    Args:
        console: where it is printed.
        network: network that holds the population.
        name: name of the population.
    """
    d = layer_document(network, name)
    rows: list[tuple[str, object]] = [
        ("kind", d["kind"]),
        ("shape", f"{shape_of(d['shape'])} = {d['neurons']} neurons"),
        ("first step", d["first_step"]),
    ]
    if d["code"] is not None:
        rows.append(("code", f"base {d['code']}, {d['timesteps']} phases, scale λ {_from_to(d['scale'])}"))
    if "leak" in d:
        rows += [
            ("gain per step", f"{_from_to([min(d['leak']), max(d['leak'])])} during {d['input_steps']} input steps"),
            ("bias v(0)", _from_to(d["bias"])),
            ("input shift", f"{d['input_shift']} bits"),
            ("one unit of v", f"{_from_to(d['unit'])} before the gain"),
        ]
    if d["wait_steps"] is not None:
        rows.append(("wait", f"{d['wait_steps']} steps"))
    if d["headroom"]:
        h = d["headroom"]
        rows.append(
            (
                "head-room",
                f"v: {h['v_bits']} bits reached, {h['v_worst_bits']} at worst; input sum: "
                f"{h['input_bits']} bits reached, {h['input_worst_bits']} at worst",
            )
        )
    for synapse in d["reads"]:
        rows.append(("reads", f"{synapse['pre']} through {_synapse(synapse)}"))
    for synapse in d["read_by"]:
        rows.append(("is read by", f"{synapse['post']} through {_synapse(synapse)}"))
    show_facts(console, name, rows)
    if "phases" in d:
        # Without payload every message is 1 and not worth a column.
        graded = any(p["message"] > 1 for p in d["phases"])
        cells = [
            (p["phase"], *([p["message"]] if graded else []), f"{p['level']:.5f}", *p["threshold"]) for p in d["phases"]
        ]
        columns = ("phase", *(["message"] if graded else []), "level / λ", "least threshold", "largest threshold")
        show_table(console, "Phases (thresholds in units of v)", columns, cells, left=0)


def _from_to(ends: list[float | int]) -> str:
    low, high = (f"{v:.6g}" if isinstance(v, float) else str(v) for v in ends)
    return low if low == high else f"{low} to {high}"


def _synapse(s: dict[str, Any]) -> str:
    return (
        f"{s['map']}, {s['weights']} weights {s['smallest']} to {s['largest']}, {s['synapses']} connections, "
        f"exponent {s['weight_exp']}, delay {s['delay_steps']}"
    )
