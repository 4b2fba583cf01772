"""Encoding: from a network to the fields of a file, as a mapping from path to array without anything of HDF5."""

from __future__ import annotations

import json
from collections import Counter
from math import prod

import numpy as np

from loihi_onespike.core.codes import ThresholdTable
from loihi_onespike.core.graphs.network import (
    AnyPopulation,
    InputPopulation,
    Membrane,
    Network,
    Population,
    Product,
    Readout,
    Synapse,
)
from loihi_onespike.core.maps import Shape, op_input_shape
from loihi_onespike.errors import GraphError
from netx_export.codes import INPUT_KINDS, code_fields
from netx_export.layout import READOUT, SPIKING
from netx_export.map_fields import ENCODERS, flattened_limit
from netx_export.values import Array, FieldMap, gains, integer, integers, tag, text


def encode(network: Network) -> FieldMap:
    """Fields of a verified network, in the order in which they are stored.

    Args:
        network: The network.

    Raises:
        GraphError: a synapse name is used twice, or something cannot be stored.
    """
    repeated = [name for name, count in Counter(s.name for s in network.synapses).items() if count > 1]
    if repeated:
        raise GraphError(f"{network.name}: synapse names used twice: {sorted(repeated)}; every group needs its own")
    fields: FieldMap = {
        "onespike/name": text(network.name),
        "onespike/facts": text(_json(network.facts)),
        "simulation/Ts": integer(1),
        "simulation/tSample": integer(network.latency_steps),
    }
    place = 0
    for population in network.populations:
        synapses = list(network.synapses_onto(population.name))
        if synapses and gather_kind(synapses[0], network.by_name[synapses[0].pre].shape) == "flatten":
            size = prod(network.by_name[synapses[0].pre].shape)
            fields |= {f"layer/{place}/type": tag("flatten"), f"layer/{place}/shape": integers((size,))}
            place += 1
        for name, value in _layer(network, population, synapses).items():
            fields[f"layer/{place}/{name}"] = value
        place += 1
    return fields


def _json(facts: object) -> str:
    def plain(value: object) -> object:
        if isinstance(value, (np.generic, np.ndarray)):
            return value.tolist()
        raise TypeError(type(value).__name__)

    try:
        return json.dumps(facts, ensure_ascii=False, allow_nan=False, default=plain)
    except (TypeError, ValueError) as error:
        raise GraphError(f"facts: {error}; they must be JSON: text, finite numbers, lists, maps") from error


def _layer(network: Network, population: AnyPopulation, synapses: list[Synapse]) -> FieldMap:
    fields: FieldMap = {"shape": integers(lifted(population.shape))}
    if isinstance(population, InputPopulation):
        fields["type"] = tag("input")
    for number, synapse in enumerate(synapses):
        pre_shape = network.by_name[synapse.pre].shape
        below = f"onespike/synapse/{number}/"
        standard = synapse_fields(synapse, pre_shape)
        if number > 0:
            standard = {below + ("netxPadding" if name == "padding" else name): v for name, v in standard.items()}
        fields |= standard
        fields |= {below + name: value for name, value in wiring_fields(synapse, pre_shape).items()}
    fields |= {f"onespike/{name}": value for name, value in _population_fields(population).items()}
    if isinstance(population, Readout) and len(network.readouts) > 1:
        fields["onespike/output"] = integer(network.readouts.index(population))
    if not isinstance(population, InputPopulation):
        fields |= {f"neuron/{name}": value for name, value in _neuron_fields(population).items()}
    return fields


def lifted(shape: Shape) -> Shape:
    """A shape of rank 2 as (C, 1, L), because NetX's maps have two spatial axes."""
    return (shape[0], 1, shape[1]) if len(shape) == 2 else shape


def gather_kind(synapse: Synapse, pre_shape: Shape) -> str:
    """Kind of a gather, one of `layout.GATHERS`.

    A row-major flattening is not stored as an index, unless it is longer than the weights of its map justify.

    Args:
        synapse: The group of synapses.
        pre_shape: Shape of its presynaptic population.
    """
    if synapse.index is None:
        return "none"
    neurons = prod(pre_shape)
    if synapse.index.shape != (neurons,) or neurons > flattened_limit(synapse.op):
        return "index"
    return "flatten" if np.array_equal(synapse.index, np.arange(neurons)) else "index"


def synapse_fields(synapse: Synapse, pre_shape: Shape) -> FieldMap:
    """NetX's own fields of one group of synapses.

    Args:
        synapse: The group of synapses.
        pre_shape: Shape of its presynaptic population.
    """
    fields = dict(ENCODERS[synapse.op](synapse.op, op_input_shape(pre_shape, synapse.index)).standard)
    if synapse.axon_delay:
        fields["delay"] = integer(synapse.axon_delay)
    if synapse.weight_exp:
        fields["wgtExp"] = integer(synapse.weight_exp)
    return fields


def wiring_fields(synapse: Synapse, pre_shape: Shape) -> FieldMap:
    """Fields of one group of synapses that NetX does not have: edge, factor, gather, padding, sparse structure.

    Args:
        synapse: The group of synapses.
        pre_shape: Shape of its presynaptic population.
    """
    kind = gather_kind(synapse, pre_shape)
    fields = {"name": text(synapse.name), "pre": text(synapse.pre), "gather": text(kind)}
    if kind == "index" and synapse.index is not None:
        fields["index"] = np.ascontiguousarray(synapse.index, dtype="<i4")
    if synapse.factor:
        fields["factor"] = integer(synapse.factor)
    return fields | ENCODERS[synapse.op](synapse.op, op_input_shape(pre_shape, synapse.index)).wiring


def _population_fields(p: AnyPopulation) -> FieldMap:
    kind = "input" if isinstance(p, InputPopulation) else p.kind
    fields = {"name": text(p.name), "shape": integers(p.shape), "kind": text(kind)}
    if isinstance(p, Readout):
        fields["finish"] = text(p.finish)
        if p.order is not None:
            fields["order"] = np.ascontiguousarray(p.order, dtype="<i4")
    if isinstance(p, InputPopulation):
        fields |= {"code": text(INPUT_KINDS[p.code]), "scale": _real(p.scale), "offset": _real(p.offset)}
        fields |= code_fields(p.code) | ({"dithered": integer(1)} if p.dithered else {})
    return fields


def _neuron_fields(p: Population | Readout) -> FieldMap:
    fields = {"type": tag(SPIKING if isinstance(p, Population) else READOUT)} | _membrane_fields(p.membrane)
    if isinstance(p, Population):
        fields |= {"vThMant": _state(p.threshold), "wait": integer(p.wait), "scale": _real(p.scale)}
        fields |= code_fields(p.code) | _table_fields("table", p.table)
        fields |= _table_fields("negative", p.negative) if p.negative is not None else {}
        fields |= _table_fields("far", p.far) if p.far is not None else {}
        if p.one_sided is not None:
            fields["oneSided"] = np.array(p.one_sided, dtype="u1", order="C")
        fields |= {"offset": _real(p.offset)} if np.any(p.offset) else {}
        fields |= _product_fields(p.product) if p.product is not None else {}
    return fields


def _product_fields(product: Product) -> FieldMap:
    second = {f"second/{name}": value for name, value in _membrane_fields(product.membrane).items()}
    return {"productShift": integer(product.shift), "productBias": _state(product.bias)} | second


def _membrane_fields(m: Membrane) -> FieldMap:
    same = len(set(m.leak)) == 1
    return ({"gainMant": integer(m.leak[0])} if same else {"gains": gains(m.leak)}) | {
        "inputSteps": integer(m.input_steps),
        "inputShift": integer(m.input_shift),
        "vInit": _state(m.bias),
        "unit": _real(m.unit),
    }


def _table_fields(name: str, table: ThresholdTable) -> FieldMap:
    return {f"{name}Mant": np.array(table.mant, dtype="<i4"), f"{name}Shift": np.array(table.shift, dtype="<i4")}


def _state(values: Array) -> Array:
    return np.array(values, dtype="<i4", order="C")


def _real(values: Array) -> Array:
    return np.array(values, dtype="<f8", order="C")
