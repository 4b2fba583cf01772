"""Decoding of the population of a layer: neurons, thresholds and the code of their spikes."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.codes import MAX_GAIN, ThresholdTable
from loihi_onespike.core.encoding import FINISH
from loihi_onespike.core.graphs.network import AnyPopulation, InputPopulation, Membrane, Population, Product, Readout
from loihi_onespike.core.graphs.verify_network import MAX_INPUT_SHIFT, MAX_PRODUCT_SHIFT
from loihi_onespike.core.maps import Shape
from loihi_onespike.core.maps.shapes import broadcasts_to
from netx_export.codes import MAX_STEPS, ONE, read_input_code, read_single_spike_code
from netx_export.fields import MAX_INPUTS, MAX_NEURONS, Fields
from netx_export.layout import READOUT, SPIKING


def read_population(layer: Fields) -> AnyPopulation:
    """Read the input, the spiking neurons or the readout of a layer.

    Args:
        layer: Fields of the layer.

    Raises:
        FormatError: a field has a wrong type, shape or value; the error names it.
    """
    own = layer.at("onespike")
    name, shape = own.text("name"), own.integers("shape", 1, MAX_NEURONS)
    is_input = layer.text("type") == "input"
    most = MAX_INPUTS if is_input else MAX_NEURONS
    if not 0 < prod(shape) <= most or not shape or len(shape) > 16:
        raise own.fail("shape", f"must describe 1 to {most} neurons, got {shape}")
    if is_input:
        own.choice("kind", ("input",))
        scale, offset = (_broadcastable(own, name, shape) for name in ("scale", "offset"))
        dithered = own.has("dithered") and own.integer("dithered", 0, 1) == 1
        return InputPopulation(name, shape, read_input_code(own), scale, offset, dithered)
    neuron = layer.at("neuron")
    membrane = _membrane(neuron)
    if neuron.choice("type", (SPIKING, READOUT)) == READOUT:
        own.choice("kind", ("readout",))
        return Readout(name, shape, membrane, own.choice("finish", tuple(FINISH)), _order(own, shape))
    code = read_single_spike_code(neuron)
    words = len(code.messages)
    return Population(
        name=name,
        shape=shape,
        kind=own.text("kind"),
        membrane=membrane,
        wait=neuron.integer("wait", 0, MAX_STEPS),
        code=code,
        threshold=neuron.array("vThMant").astype(np.int64),
        table=_table(neuron, "table", words),
        negative=_table(neuron, "negative", words) if neuron.has("negativeMant") else None,
        scale=neuron.finite("scale"),
        offset=_broadcastable(neuron, "offset", shape) if neuron.has("offset") else np.zeros(()),
        far=_table(neuron, "far", words) if neuron.has("farMant") else None,
        product=_product(neuron) if neuron.has("productShift") else None,
        one_sided=_one_sided(neuron, shape) if neuron.has("oneSided") else None,
    )


def _membrane(fields: Fields) -> Membrane:
    return Membrane(
        _leak(fields, fields.integer("inputSteps", 1, MAX_STEPS)),
        fields.integer("inputShift", 0, MAX_INPUT_SHIFT),
        fields.array("vInit").astype(np.int64),
        fields.finite("unit"),
    )


def _product(neuron: Fields) -> Product:
    shift = neuron.integer("productShift", 0, MAX_PRODUCT_SHIFT)
    return Product(_membrane(neuron.at("second")), shift, neuron.array("productBias").astype(np.int64))


def _one_sided(neuron: Fields, shape: Shape) -> NDArray[np.bool_]:
    sides = neuron.array("oneSided")
    if not broadcasts_to(sides.shape, shape):
        raise neuron.fail("oneSided", f"must broadcast to {shape}, got shape {sides.shape}")
    neuron.integers("oneSided", 0, 1)
    return sides.astype(bool)


def _order(own: Fields, shape: Shape) -> NDArray[np.int32] | None:
    if not own.has("order"):
        return None
    order = own.array("order")
    if not order.size or order.min() < -1 or order.max() >= prod(shape):
        raise own.fail("order", f"must hold at least one entry in -1..{prod(shape) - 1}, got shape {order.shape}")
    return order  # type: ignore[return-value]


def _broadcastable(own: Fields, name: str, shape: Shape) -> NDArray[np.float64]:
    values = own.finite(name)
    if not broadcasts_to(values.shape, shape):
        raise own.fail(name, f"must broadcast to {shape}, got shape {values.shape}")
    return values


def _leak(neuron: Fields, steps: int) -> tuple[int, ...]:
    if neuron.has("gains"):
        return neuron.integers("gains", ONE, MAX_GAIN, steps)
    return (neuron.integer("gainMant", ONE, MAX_GAIN),) * steps


def _table(neuron: Fields, name: str, words: int) -> ThresholdTable:
    mant = neuron.integers(f"{name}Mant", -(2**15 - 1), 2**15 - 1, words)
    return ThresholdTable(mant, neuron.integers(f"{name}Shift", 0, 30, words))
