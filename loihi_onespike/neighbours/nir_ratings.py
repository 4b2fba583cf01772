"""What NIR has nodes for, part by part of a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from loihi_onespike.core.graphs.network import InputPopulation, Network, Population, Synapse
from loihi_onespike.core.maps import Conv, Dense, Diagonal, LinearMap, Pool, Shape
from netx_export.encode import gather_kind

Grade = Literal["faithful", "approximate", "unsupported"]
NEURON = "IF integrates and fires; gain, falling threshold, wait, window and single spike stand in the metadata"
READOUT = "I integrates; gain and the host's last operation stand in the metadata"
INPUT = "a node of NIR for the shape; code and scale stand in the metadata"


@dataclass(frozen=True)
class Rating:
    """How well NIR expresses a part of a network.

    Attributes:
        name: The population or group of synapses.
        node: Kinds of the nodes of NIR; empty for none.
        grade: faithful: any reader computes the same; approximate: a reader needs the metadata for that; unsupported:
            NIR has no node for it, and the network is refused.
        reason: Why, empty where nothing is lost.
    """

    name: str
    node: str
    grade: Grade
    reason: str


def nir_ratings(network: Network) -> tuple[Rating, ...]:
    """Every population and group of synapses with the nodes that NIR has for it, in the order of the network."""
    ratings = []
    for p in network.populations:
        ratings += [_rating(network, s) for s in network.synapses_onto(p.name)]
        if isinstance(p, InputPopulation):
            ratings.append(Rating(p.name, "Input", "approximate", INPUT))
        elif len(p.membranes) > 1:
            ratings.append(Rating(p.name, "", "unsupported", "a neuron that multiplies two sums has no node"))
        else:
            spiking = isinstance(p, Population)
            ratings.append(Rating(p.name, "IF" if spiking else "I", "approximate", NEURON if spiking else READOUT))
    return tuple(ratings)


def _rating(network: Network, synapse: Synapse) -> Rating:
    pre_shape = network.by_name[synapse.pre].shape
    gather = gather_kind(synapse, pre_shape)
    seen = pre_shape if synapse.index is None else np.shape(synapse.index)
    reason = "a gather other than flattening has no node" if gather == "index" else _lacking(synapse.op, tuple(seen))
    if reason:
        return Rating(synapse.name, "", "unsupported", reason)
    kinds = ["Flatten"] * (gather == "flatten") + [_map_kind(synapse.op)]
    kinds += ["Scale"] * (factor_behind(synapse) is not None) + ["Delay"] * (synapse.axon_delay > 0)
    return Rating(synapse.name, ", ".join(kinds), "faithful", "")


def _lacking(op: LinearMap, seen: Shape) -> str:
    """Why NIR has no node for a map; empty where it has one."""
    if isinstance(op, Conv | Pool):
        window, places = op.window, len(op.window.kernel)
        if any(low != high for low, high in window.padding):
            return "padding that differs between the sides has no node"
        if places not in ((1, 2) if isinstance(op, Conv) else (2,)):
            return f"a window over {places} axes has no node"
        if isinstance(op, Conv) and op.groups > 1:
            return "the node of a convolution states a wrong input shape with groups"
        if isinstance(op, Pool) and any(d > 1 for d in window.dilation):
            return "the node of a pooling has no dilation"
        if isinstance(op, Conv) and len(set(window.kernel)) > 1:
            return "the node of a convolution states a wrong output shape with a kernel that is not square"
        return ""
    if isinstance(op, Diagonal) or (isinstance(op, Dense) and len(seen) == 1):
        return ""
    return "a dense map over several axes has no node" if isinstance(op, Dense) else "a sparse map has no node"


def _map_kind(op: LinearMap) -> str:
    if isinstance(op, Conv):
        return f"Conv{len(op.window.kernel)}d"
    return "SumPool2d" if isinstance(op, Pool) else "Linear" if isinstance(op, Dense) else "Scale"


def factor_behind(synapse: Synapse) -> int | None:
    """Factor behind the node of a map: weight of a pooling times 2^exponent of the group; None where there is none."""
    weight = int(synapse.op.weight_values) if isinstance(synapse.op, Pool) else 1
    factor = weight << synapse.weight_exp
    return None if factor == 1 and not isinstance(synapse.op, Pool) else factor
