"""What a network holds as rows and values for JSON, for tables and reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.graphs.network import AnyPopulation, InputPopulation, Membrane, Network, Population, Readout
from loihi_onespike.core.maps import weight_values
from loihi_onespike.core.maps.connectivity import connections


@dataclass(frozen=True)
class LayerRow:
    """One population as a row of the table of layers.

    Attributes:
        name: name of the population.
        kind: input, relu, readout and so on.
        shape: shape without the samples.
        neurons: number of neurons.
        code: base of the code that it sends, or its mean gain marked with ~ for a codebook; None for the readout.
        timesteps: number of phases T; None for the readout.
        wait_steps: steps before its first decision; None for the input and the readout.
        first_step: global step of its first input for the first image, where the first input phase is step 1.
        v_bits: width of v that the calibration images reached; None where it is not recorded.
        v_worst_bits: width of v that the weights allow at worst; None where it is not recorded.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    neurons: int
    code: str | None
    timesteps: int | None
    wait_steps: int | None
    first_step: int
    v_bits: int | None
    v_worst_bits: int | None


@dataclass(frozen=True)
class SynapseRow:
    """One group of synapses as a row of the table of synapses.

    Attributes:
        name: name of the group.
        pre, post: populations that it reads and feeds.
        map: kind of linear map.
        weights: number of stored weights.
        smallest, largest: extreme weights.
        weight_exp: exponent of two by which its input sum is multiplied.
        delay_steps: axon delay in steps.
        synapses: number of connections.
        factor: membrane that it reaches: 1 for the second factor of a product, otherwise 0.
    """

    name: str
    pre: str
    post: str
    map: str
    weights: int
    smallest: int
    largest: int
    weight_exp: int
    delay_steps: int
    synapses: int
    factor: int


def layer_rows(network: Network) -> list[LayerRow]:
    """A row for every population, in the order of the network."""
    return [_layer_row(network, p) for p in network.populations]


def _layer_row(network: Network, p: AnyPopulation) -> LayerRow:
    recorded = network.facts.get("headroom", {})
    bits = recorded.get(p.name, {}) if isinstance(recorded, Mapping) else {}
    return LayerRow(
        name=p.name,
        kind="input" if isinstance(p, InputPopulation) else p.kind,
        shape=tuple(p.shape),
        neurons=prod(p.shape),
        code=str(p.code) if not isinstance(p, Readout) else None,
        timesteps=p.timesteps if not isinstance(p, Readout) else None,
        wait_steps=p.wait if isinstance(p, Population) else None,
        first_step=network.starts[p.name] + 1,
        v_bits=bits.get("v_bits"),
        v_worst_bits=bits.get("v_worst_bits"),
    )


def synapse_rows(network: Network) -> list[SynapseRow]:
    """A row for every group of synapses, in the order of the network."""
    rows = []
    for s in network.synapses:
        weights = np.asarray(weight_values(s.op))
        rows.append(
            SynapseRow(
                s.name,
                s.pre,
                s.post,
                type(s.op).__name__.lower(),
                int(weights.size),
                int(weights.min()) if weights.size else 0,
                int(weights.max()) if weights.size else 0,
                s.weight_exp,
                s.axon_delay,
                connections(s.op, network.by_name[s.pre].shape, s.index),
                s.factor,
            )
        )
    return rows


def network_document(network: Network) -> dict[str, object]:
    """The content of all tables of a network, as values for JSON."""
    return {
        "name": network.name,
        "timesteps": network.timesteps,
        "latency_steps": network.latency_steps,
        "period_steps": network.period_steps,
        "neurons": sum(prod(p.shape) for p in network.hidden),
        "layers": [asdict(row) for row in layer_rows(network)],
        "synapses": [asdict(row) for row in synapse_rows(network)],
        "rewrites": rewrites(network),
        "options": network.facts.get("options"),
    }


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
    document |= _membrane(p.membrane)
    if isinstance(p, Population) and p.product is not None:
        second = _membrane(p.product.membrane)
        document["product"] = {"shift": p.product.shift, "bias": _range(p.product.bias), "second": second}
    if isinstance(p, Population):
        code = p.code
        thresholds = p.table.thresholds(p.threshold.ravel().astype(np.int64)).reshape(len(code.messages), -1)
        phases = code.phase_of(code.words()[1:]).tolist()
        document |= {
            "scale": _range(p.scale),
            "signed": p.signed,
            "one_sided": 0 if p.one_sided is None else int(np.broadcast_to(p.one_sided, p.shape).sum()),
            "dips": p.far is not None,
            "phases": [
                {"phase": k, "message": message, "level": float(level), "threshold": _range(theta)}
                for k, message, level, theta in zip(phases, code.messages, code.levels(), thresholds, strict=True)
            ],
        }
    return document


def _membrane(membrane: Membrane) -> dict[str, Any]:
    return {
        "leak": [gain / 4096 for gain in membrane.leak],
        "input_steps": membrane.input_steps,
        "input_shift": membrane.input_shift,
        "bias": _range(membrane.bias),
        "unit": _range(membrane.unit),
    }


def _range(values: NDArray[Any]) -> list[float | int]:
    """[smallest, largest]."""
    return [values.min().item(), values.max().item()]


def conversion_text(network: Network) -> str:
    """The method of a network's conversion and its main options as text; "not recorded" for older files."""
    made_with = network.facts.get("options")
    if not isinstance(made_with, Mapping):
        return "not recorded"
    base, wait = made_with.get("base"), made_with.get("wait")
    levels = f"base {base:.4g}" if isinstance(base, float) else f"{base} levels"
    waited = "full wait" if wait is None else f"wait {wait}"
    bits = max((p.code.payload_bits for p in network.hidden), default=0)
    payload = f", {bits} bits of payload" if bits else ""
    objective = made_with.get("objective", "accuracy")  # files from before there was another one record none
    spent = f", objective {objective}" if objective != "accuracy" else ""
    return f"{method_text(made_with.get('method'))}{spent}; T {network.timesteps}, {levels}, {waited}{payload}"


def method_text(parts: object) -> str:
    """Name of a recorded method: "paper", "calibrated", or "calibrated without" the parts that were left out."""
    if not isinstance(parts, Mapping):
        return "paper"  # files from before there was another method record none
    off = [name for name, on in parts.items() if not on]
    if len(off) == len(parts):
        return "paper"
    return f"calibrated without {', '.join(off)}" if off else "calibrated"


def rewrites(network: Network) -> list[str]:
    """Notes of the conversion: layers that were folded, moved or replaced, and precision that was reduced."""
    noted = network.facts.get("rewrites")
    return [str(line) for line in noted] if isinstance(noted, list | tuple) else []
