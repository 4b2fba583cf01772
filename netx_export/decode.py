"""Decoding: from the fields of a file to a verified network.

`decode_synapses` and `decode_population` read the parts of a layer; this module assembles the layers to a network. The
network is then encoded again, and what the file says beyond it must be the same.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from loihi_onespike.core.graphs.input_parts import parts_of_inputs
from loihi_onespike.core.graphs.network import AnyPopulation, Network, Synapse
from loihi_onespike.core.graphs.output_form import form_of
from loihi_onespike.core.graphs.verify_network import verify
from loihi_onespike.core.maps import Shape
from loihi_onespike.errors import ConfigurationError, FormatError, GraphError
from netx_export.decode_population import read_population
from netx_export.decode_synapses import read_synapses
from netx_export.encode import encode
from netx_export.facts import FACTS, checked_facts
from netx_export.fields import Array, Fields


def decode(fields: Mapping[str, Array]) -> Network:
    """Make the network of a file. Every field is either used or compared with what follows from the others.

    Args:
        fields: All fields of a file, by path.

    Raises:
        FormatError: a field is missing, superfluous, contradictory or outside its range; the error names it.
    """
    try:
        return _decode(fields)
    except (ValueError, TypeError, IndexError, KeyError, ArithmeticError, MemoryError) as error:
        # A file made by another program can pass every digest and still be meaningless in unforeseen ways.
        raise FormatError(
            "layer", f"does not describe a network ({type(error).__name__}: {error}); write the file again"
        ) from error


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
            synapses += read_synapses(layer, shapes)
            populations.append(read_population(layer))
        except (GraphError, ConfigurationError) as error:
            raise FormatError(f"layer/{number}", str(error)) from error
        shapes[populations[-1].name] = populations[-1].shape
    if not populations:
        raise FormatError("layer", "holds no layers; the file is damaged")
    network = Network(root.text("onespike/name"), tuple(populations), tuple(synapses), checked_facts(root.text(FACTS)))
    try:
        verify(network)
        form_of(network)
        parts_of_inputs(network)
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
