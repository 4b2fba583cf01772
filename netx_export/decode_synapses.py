"""Decoding of the synapse groups of a layer: presynaptic population, linear map, gather."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.graphs.network import MAX_AXON_DELAY, Synapse
from loihi_onespike.core.graphs.verify_network import MAX_WEIGHT_EXP
from loihi_onespike.core.maps import LinearMap, Shape
from netx_export.fields import Fields
from netx_export.layout import GATHERS
from netx_export.map_fields import DECODERS, flattened_limit


def read_synapses(layer: Fields, shapes: Mapping[str, Shape]) -> list[Synapse]:
    """Read the synapses onto the population of a layer.

    Args:
        layer: Fields of the layer.
        shapes: Shapes of the populations of earlier layers, by name.

    Raises:
        FormatError: a field has a wrong type, shape or value; the error names it.
    """
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
        raise wiring.fail("pre", f"must be the name of an earlier layer's population, got {pre!r}")
    op = _op(standard, wiring)
    delay = standard.integer("delay", 1, MAX_AXON_DELAY) if standard.has("delay") else 0
    weight_exp = standard.integer("wgtExp", 1, MAX_WEIGHT_EXP) if standard.has("wgtExp") else 0
    factor = wiring.integer("factor", 1, 1) if wiring.has("factor") else 0
    return Synapse(wiring.text("name"), pre, post, op, _index(wiring, shapes[pre], op), weight_exp, delay, factor)


def _index(wiring: Fields, pre_shape: Shape, op: LinearMap) -> NDArray[np.int32] | None:
    gather = wiring.choice("gather", GATHERS)
    if gather == "none":
        return None
    if gather == "flatten":
        if prod(pre_shape) > flattened_limit(op):
            raise wiring.fail("gather", f"must flatten at most {flattened_limit(op)} neurons, got {prod(pre_shape)}")
        return np.arange(prod(pre_shape), dtype=np.int32)
    index = wiring.array("index")
    if not index.ndim or not index.size:
        raise wiring.fail("index", f"must hold at least one place, got shape {index.shape}")
    return index  # type: ignore[return-value]


def _op(standard: Fields, wiring: Fields) -> LinearMap:
    kind = standard.choice("type", tuple(DECODERS))
    weight = standard.array("weight")
    if not weight.size and kind != "sparse":
        raise standard.fail("weight", f"must hold at least one weight, got shape {weight.shape}")
    return DECODERS[kind](standard, wiring, weight, kind)
