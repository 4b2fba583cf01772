"""From the fields of a file back to a verified network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import prod

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from loihi_onespike.coding import LEAK_SHIFT, Base, BinaryCode, Codebook, PhaseCode, SingleSpikeCode, ThresholdTable
from loihi_onespike.errors import ConfigurationError, FormatError, GraphError
from loihi_onespike.ir.linear import Conv, Dense, Diagonal, LinearMap, Pool, Shape, Sparse, Window
from loihi_onespike.ir.network import (
    MAX_AXON_DELAY,
    AnyPopulation,
    InputPopulation,
    Membrane,
    Network,
    Population,
    Readout,
    Synapse,
)
from loihi_onespike.ir.verify import MAX_INPUT_SHIFT, MAX_WEIGHT_EXP, verify
from loihi_onespike.sim.decode import FINISH
from netx_export.encode import encode
from netx_export.fields import MAX_INPUTS, MAX_NEURONS, Array, Fields
from netx_export.layout import GATHERS, LAYER_TYPES, READOUT, SPIKING

MAX_STEPS = 2**15 - 1
"""Largest phase that a spike trace holds."""
ONE = 2**LEAK_SHIFT


def decode(fields: Mapping[str, Array]) -> Network:
    """The network of a file. Every field is used or compared with what follows from the others."""
    try:
        return _decode(fields)
    except (ValueError, TypeError, IndexError, KeyError, ArithmeticError, MemoryError) as error:
        # A file made by another program can pass every digest and still be nonsense in a way nobody listed.
        raise FormatError("layer", f"is no network ({type(error).__name__}: {error}); write the file again") from error


def _decode(fields: Mapping[str, Array]) -> Network:
    root = Fields(fields)
    populations: list[AnyPopulation] = []
    synapses: list[Synapse] = []
    shapes: dict[str, Shape] = {}
    for number in root.numbers("layer"):
        layer = root.at(f"layer/{number}")
        if layer.text("type") == "flatten":
            continue
        try:
            synapses += _synapses(layer, shapes)
            populations.append(_population(layer))
        except (GraphError, ConfigurationError) as error:
            raise FormatError(f"layer/{number}", str(error)) from error
        shapes[populations[-1].name] = populations[-1].shape
    if not populations:
        raise FormatError("layer", "holds no layers; the file is damaged")
    network = Network(root.text("onespike/name"), tuple(populations), tuple(synapses), _facts(root))
    try:
        verify(network)
        again = encode(network)
    except GraphError as error:
        raise FormatError(_blame(root, str(error)), f"the network breaks a rule: {error}") from error
    _compare(fields, again)
    return network


def _blame(root: Fields, message: str) -> str:
    """The layer whose population a message of `verify` begins with."""
    for number in root.numbers("layer"):
        layer = root.at(f"layer/{number}")
        if layer.has("onespike/name") and message.startswith(layer.text("onespike/name")):
            return f"layer/{number}"
    return "layer"


def _compare(found: Mapping[str, Array], wanted: Mapping[str, Array]) -> None:
    """Redundant fields (NetX's sizes, flatten layers) must agree with the network that was read."""
    for path, array in wanted.items():
        if path not in found:
            raise FormatError(path, "is missing; the file is damaged or was edited")
        if array is not found[path] and (array.dtype != found[path].dtype or not np.array_equal(array, found[path])):
            raise FormatError(path, f"found {_brief(found[path])}, the rest of the file says {_brief(array)}")
    for path in found:
        if path not in wanted:
            raise FormatError(path, "does not belong to this kind of layer; the file is damaged or was edited")


def _brief(array: Array) -> str:
    return str(array.tolist()) if array.size <= 8 else f"an array of shape {array.shape}"


def _facts(root: Fields) -> dict[str, object]:
    try:
        facts = json.loads(root.text("onespike/facts"))
    except (ValueError, RecursionError) as error:
        raise root.fail("onespike/facts", f"is not JSON ({error}); the file is damaged") from error
    if not isinstance(facts, dict):
        raise root.fail("onespike/facts", f"found {type(facts).__name__}, a JSON object is needed")
    return facts


def _synapses(layer: Fields, shapes: Mapping[str, Shape]) -> list[Synapse]:
    numbers = list(layer.numbers("onespike/synapse"))
    if not numbers and layer.text("type") != "input":
        raise layer.fail("onespike/synapse/0/name", "is missing; every layer but the input has synapses")
    post = layer.text("onespike/name")
    return [_synapse(layer, number, post, shapes) for number in numbers]


def _synapse(layer: Fields, number: int, post: str, shapes: Mapping[str, Shape]) -> Synapse:
    wiring = layer.at(f"onespike/synapse/{number}")
    standard = layer if number == 0 else wiring
    pre = wiring.text("pre")
    if pre not in shapes:
        raise wiring.fail("pre", f"found {pre!r}, which is not the name of an earlier layer's population")
    op = _op(standard, wiring)
    delay = standard.integer("delay", 1, MAX_AXON_DELAY) if standard.has("delay") else 0
    weight_exp = standard.integer("wgtExp", 1, MAX_WEIGHT_EXP) if standard.has("wgtExp") else 0
    return Synapse(wiring.text("name"), pre, post, op, _index(wiring, shapes[pre]), weight_exp, delay)


def _order(own: Fields, shape: Shape) -> NDArray[np.int32] | None:
    if not own.has("order"):
        return None
    order = own.array("order")
    if not order.size or order.min() < -1 or order.max() >= prod(shape):
        raise own.fail("order", f"found shape {order.shape}, supported places -1..{prod(shape) - 1}, at least one")
    return order  # type: ignore[return-value]


def _index(wiring: Fields, pre_shape: Shape) -> NDArray[np.int32] | None:
    gather = wiring.choice("gather", GATHERS)
    if gather == "none":
        return None
    if gather == "flatten":
        return np.arange(prod(pre_shape), dtype=np.int32)
    index = wiring.array("index")
    if not index.ndim or not index.size:
        raise wiring.fail("index", f"found shape {index.shape}, at least one place is needed")
    return index  # type: ignore[return-value]


def _op(standard: Fields, wiring: Fields) -> LinearMap:
    kind = standard.choice("type", LAYER_TYPES)
    weight = standard.array("weight")
    if not weight.size and kind != "sparse":
        raise standard.fail("weight", f"found shape {weight.shape}, at least one weight is needed")
    if kind in ("conv", "convNd", "pool"):
        window = _window(standard, wiring)
        if weight.ndim != 2 + max(2, len(window.kernel)):
            raise standard.fail("weight", f"found {weight.ndim} axes, this {kind} has {2 + max(2, len(window.kernel))}")
        if weight.shape[-len(window.kernel) :] != window.kernel:
            raise standard.fail("kernelSize", f"found {window.kernel}, the weights have {weight.shape[2:]}")
        if kind == "pool":
            if np.any(weight != weight.flat[0]):
                raise standard.fail("weight", "the weights of a pooling window differ")
            return Pool(window, np.array(weight.flat[0], dtype=np.int16))
        shape = (*weight.shape[:2], *window.kernel)
        return Conv(weight.reshape(shape), window, standard.integer("groups", 1, weight.shape[0]))
    if kind in ("dense", "denseLast"):
        if weight.ndim != 2:
            raise standard.fail("weight", f"found {weight.ndim} axes, a dense map has 2 (outputs, inputs)")
        return Dense(weight)
    return Diagonal(weight) if kind == "diagonal" else _sparse(standard, wiring)


def _window(standard: Fields, wiring: Fields) -> Window:
    flat = wiring.integers("padding", 0, MAX_NEURONS)
    stored = wiring.array("padding")
    rank = len(stored)
    if not rank or stored.shape[1] != 2:
        raise wiring.fail("padding", f"found shape {stored.shape}, (spatial axes, 2) is needed")
    sizes = []
    for name in ("kernelSize", "stride", "dilation"):
        values = standard.integers(name, 1, MAX_NEURONS, max(2, rank))
        if rank == 1 and values[0] != 1:
            raise standard.fail(name, f"found {values}, a map with one spatial axis has (1, …)")
        sizes.append(values[-rank:])
    return Window(sizes[0], sizes[1], tuple(zip(flat[::2], flat[1::2], strict=True)), sizes[2])


def _sparse(standard: Fields, wiring: Fields) -> Sparse:
    weight, indices, indptr = standard.array("weight"), wiring.array("indices"), wiring.array("indptr")
    if weight.ndim != 1:
        raise standard.fail("weight", f"found {weight.ndim} axes, a sparse map has 1 (its non-zeros)")
    shape = (standard.integer("outFeatures", 1, MAX_NEURONS), standard.integer("inFeatures", 1, MAX_NEURONS))
    if len(indptr) != shape[0] + 1:
        raise wiring.fail("indptr", f"found {len(indptr)} entries, {shape[0] + 1} are needed")
    if len(indices) != len(weight):
        raise wiring.fail("indices", f"found {len(indices)} entries, {len(weight)} are needed")
    steps = np.diff(indptr.astype(np.int64))
    if int(indptr[0]) != 0 or int(indptr[-1]) != len(weight) or np.any(steps < 0):
        raise wiring.fail("indptr", f"must rise from 0 to {len(weight)}")
    columns = indices.astype(np.int64)
    if len(columns) and (columns.min() < 0 or columns.max() >= shape[1]):
        raise wiring.fail("indices", f"found {columns.min()}..{columns.max()}, supported 0..{shape[1] - 1}")
    return Sparse(sp.csr_matrix((weight, indices, indptr), shape=shape))


def _population(layer: Fields) -> AnyPopulation:
    own = layer.at("onespike")
    name, shape = own.text("name"), own.integers("shape", 1, MAX_NEURONS)
    is_input = layer.text("type") == "input"
    most = MAX_INPUTS if is_input else MAX_NEURONS
    if not 0 < prod(shape) <= most or not shape or len(shape) > 16:
        raise own.fail("shape", f"found {shape}, supported 1 to {most} neurons")
    if is_input:
        own.choice("kind", ("input",))
        scale, offset = (_broadcastable(own, name, shape) for name in ("scale", "offset"))
        return InputPopulation(name, shape, _input_code(own), scale, offset)
    neuron = layer.at("neuron")
    membrane = Membrane(
        _leak(neuron, neuron.integer("inputSteps", 1, MAX_STEPS)),
        neuron.integer("inputShift", 0, MAX_INPUT_SHIFT),
        neuron.array("vInit").astype(np.int64),
        neuron.finite("unit"),
    )
    if neuron.choice("type", (SPIKING, READOUT)) == READOUT:
        own.choice("kind", ("readout",))
        return Readout(name, shape, membrane, own.choice("finish", tuple(FINISH)), _order(own, shape))
    code = _single_spike_code(neuron)
    return Population(
        name=name,
        shape=shape,
        kind=own.text("kind"),
        membrane=membrane,
        wait=neuron.integer("wait", 0, MAX_STEPS),
        code=code,
        threshold=neuron.array("vThMant").astype(np.int64),
        table=_table(neuron, "table", code.timesteps),
        negative=_table(neuron, "negative", code.timesteps) if neuron.has("negativeMant") else None,
        scale=neuron.finite("scale"),
        offset=_broadcastable(neuron, "offset", shape) if neuron.has("offset") else np.zeros(()),
    )


def _broadcastable(own: Fields, name: str, shape: Shape) -> NDArray[np.float64]:
    values = own.finite(name)
    try:
        fits = np.broadcast_shapes(values.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise own.fail(name, f"found shape {values.shape}, which does not broadcast to {shape}")
    return values


def _input_code(own: Fields) -> BinaryCode | SingleSpikeCode:
    if own.choice("code", ("binary", "phase")) == "binary":
        return BinaryCode(own.integer("bits", 1, 16))
    return _single_spike_code(own)


def _single_spike_code(fields: Fields) -> SingleSpikeCode:
    timesteps, shift = fields.integer("timesteps", 1, MAX_STEPS), bool(fields.integer("thresholdShift", 0, 1))
    if fields.has("levelGains"):
        return Codebook(fields.integers("levelGains", ONE, 4 * ONE, timesteps), shift)
    return PhaseCode(Base(fields.integer("base", ONE + 1, 4 * ONE)), timesteps, shift)


def _leak(neuron: Fields, steps: int) -> tuple[int, ...]:
    if neuron.has("gains"):
        return neuron.integers("gains", ONE, 4 * ONE, steps)
    return (neuron.integer("gainMant", ONE, 4 * ONE),) * steps


def _table(neuron: Fields, name: str, timesteps: int) -> ThresholdTable:
    mant = neuron.integers(f"{name}Mant", -(2**15 - 1), 2**15 - 1, timesteps)
    return ThresholdTable(mant, neuron.integers(f"{name}Shift", 0, 30, timesteps))
