"""One population in detail, for `onespike inspect --layer`."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from loihi_onespike.cli.terminal.output import shape_of, show_facts, show_table
from loihi_onespike.core.graphs.network import Network
from loihi_onespike.core.graphs.network_tables import layer_document


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
    if "product" in d:
        product = d["product"]
        rows += _membrane(d, "u") + _membrane(product["second"], "w")
        rows.append(("v", f"(u · w >> {product['shift']}) + {_from_to(product['bias'])}"))
    elif "leak" in d:
        rows += _membrane(d, "v")
    if d["wait_steps"] is not None:
        rows.append(("wait", f"{d['wait_steps']} steps"))
    if d.get("one_sided"):
        rows.append(("negative spikes", f"of {d['neurons'] - d['one_sided']} of {d['neurons']} neurons"))
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


def _membrane(d: dict[str, Any], v: str) -> list[tuple[str, object]]:
    of = "" if v == "v" else f" of {v}"
    return [
        (f"gain per step{of}", f"{_from_to([min(d['leak']), max(d['leak'])])} during {d['input_steps']} input steps"),
        (f"bias {v}(0)", _from_to(d["bias"])),
        (f"input shift{of}", f"{d['input_shift']} bits"),
        (f"one unit of {v}", f"{_from_to(d['unit'])} before the gain"),
    ]


def _from_to(ends: list[float | int]) -> str:
    low, high = (f"{v:.6g}" if isinstance(v, float) else str(v) for v in ends)
    return low if low == high else f"{low} to {high}"


def _synapse(s: dict[str, Any]) -> str:
    return (
        f"{s['map']}, {s['weights']} weights {s['smallest']} to {s['largest']}, {s['synapses']} connections, "
        f"exponent {s['weight_exp']}, delay {s['delay_steps']}{', second factor' if s['factor'] else ''}"
    )
