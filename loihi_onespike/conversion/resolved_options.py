"""Options for the conversion of one network: what payload_bits="auto" comes to.

A neuron of a depthwise convolution sums a few inputs of one channel, so that the rounding errors of its inputs hardly
average out: networks that have such convolutions want finer levels than others, and bits of payload give them without
a longer window (docs/howto/cnn.md, Compact depthwise networks).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from loihi_onespike.conversion.options import ConversionOptions, option_fields
from loihi_onespike.core.graphs.stage import OutputStage, Stage, StageGraph
from loihi_onespike.core.maps import Conv, LinearMap
from loihi_onespike.core.maps.shapes import Array
from loihi_onespike.core.operation_prices import OperationPrices

BITS_OF_DEPTHWISE = 2
"""Bits of payload of a network with depthwise convolutions, measured in docs/howto/cnn.md."""
SAME_DIRECTION = 1 - 1e-6
"""Cosine between two kernels from which on they count as one filter; float32 weights round it by 1e-7."""


@dataclass(frozen=True, kw_only=True)
class ResolvedOptions(ConversionOptions):
    """Options for the conversion of one network, whose payload is a number.

    Attributes:
        payload_bits: most bits of payload of a spike.
    """

    payload_bits: int = field()  # without a default; `ConversionOptions` describes and checks it


def resolve_options(
    options: ConversionOptions, graph: StageGraph, prices: OperationPrices | None = None
) -> tuple[ResolvedOptions, StageGraph]:
    """The options for a network, and its graph with a note where "auto" chose bits of payload.

    Args:
        options: options of the conversion.
        graph: lowered stages.
        prices: prices of the board that `options.account` names; None for "alpha".
    """
    given, notes = options.payload_bits, tuple[str, ...]()
    if isinstance(given, str):
        layers = depthwise_layers(graph) if _may_choose(options, prices) else []
        given = BITS_OF_DEPTHWISE if layers else 0
        notes = (_note(layers, given),) if layers else ()
    values = {f.name: getattr(options, f.name) for f in option_fields()}
    return ResolvedOptions(**{**values, "payload_bits": given}), replace(graph, rewrites=(*graph.rewrites, *notes))


def depthwise_layers(graph: StageGraph) -> list[str]:
    """Names of the stages that read hidden populations by trained depthwise convolutions of several taps.

    Args:
        graph: lowered stages.
    """
    hidden = {stage.name for stage in graph.hidden}
    return [
        stage.name
        for stage in graph.stages
        if isinstance(stage, (Stage, OutputStage))
        and any(link.pre in hidden and _is_trained_depthwise(link.op) for link in stage.links)
    ]


def _may_choose(options: ConversionOptions, prices: OperationPrices | None) -> bool:
    """Whether the board may send payload, and the objective and fitted levels are what the bits were measured with."""
    measured = options.chosen_objective == "balanced" and options.base == "auto" and options.parts.levels
    return measured and (prices is None or prices.sends_payload)


def _is_trained_depthwise(op: LinearMap) -> bool:
    """Whether a map is a depthwise convolution with weights of their own for every channel.

    Average pooling is a `Pool`. Bilinear resizing, and a blur of the user's own, have one filter for all channels, up
    to the factor of each channel that the lowering folds into the weights; so have rows of one weight.
    """
    if not isinstance(op, Conv) or op.groups < 2 or op.weight.shape[1] > 1:
        return False
    return not _is_one_filter(op.weight)


def _is_one_filter(weight: Array) -> bool:
    """Whether the kernels of all output channels are multiples of one another.

    Args:
        weight: (O, 1, *kernel).
    """
    rows = weight.reshape(len(weight), -1).astype(np.float64)
    lengths = np.linalg.norm(rows, axis=1)
    rows = rows[lengths > 0] / lengths[lengths > 0, None]
    return len(rows) < 2 or bool(np.abs(rows @ rows[0]).min() >= SAME_DIRECTION)


def _note(layers: list[str], bits: int) -> str:
    """The line of the report that says which bits were chosen for which layers, and how to turn them off."""
    count = len(layers)
    which = "the only depthwise convolution" if count == 1 else f"the first of {count} depthwise convolutions"
    return f"{layers[0]}: {which}, for which payload_bits is {bits}; payload_bits=0 turns payload off"
