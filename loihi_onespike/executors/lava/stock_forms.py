"""Which of Lava's own processes carries a group of synapses to a board: Conv, Dense, or an explicit matrix in Sparse.

    Conv     convolutions, pooling and factors per channel over two axes of space, with the same padding on both sides
             of an axis; taps that see nothing but padding are left out. Without weight exponent and without delay,
             and where no sum of a step can exceed 24 bits
    Dense    one input axis, without gather and delay
    Sparse   everything else; weights of 0 are no entries of its matrix

Free of Lava, so that the mapping and the checks before a deployment can ask where Lava is not installed.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

import numpy as np

from loihi_onespike.core.codes import V_MAX
from loihi_onespike.core.graphs.network import InputPopulation, Population, Synapse
from loihi_onespike.core.maps import Conv, Dense, Diagonal, Pool, Shape, Window
from loihi_onespike.core.maps.registry import MapRegistry


class StockForm(Enum):
    """Lava's processes for synapses."""

    CONV = "Conv"
    DENSE = "Dense"
    SPARSE = "Sparse"


AS_CONV: MapRegistry[Callable[[Any, Shape], Conv | None]] = MapRegistry(
    "Lava's convolution process", __name__, otherwise="it is no convolution: Dense or Sparse of Lava carries it"
)
"""make(op, shape): the map over inputs of `shape` as a convolution, None where it is none."""


@AS_CONV.register(Conv)
def _conv(op: Conv, shape: Shape) -> Conv:
    return op


@AS_CONV.register(Pool)
def _pool(op: Pool, shape: Shape) -> Conv:
    return Conv(np.broadcast_to(op.weight, (shape[0], 1, *op.window.kernel)), op.window, shape[0])


@AS_CONV.register(Diagonal)
def _diagonal(op: Diagonal, shape: Shape) -> Conv | None:
    if op.kernel_taps(shape) is None:
        return None
    ones = (1,) * (len(shape) - 1)
    weight = np.broadcast_to(np.reshape(op.weight, (-1,)), shape[:1])
    return Conv(weight.reshape(shape[0], 1, *ones), Window.plain(ones), shape[0])


def stock_conv(synapse: Synapse, pre: InputPopulation | Population) -> Conv | None:
    """The convolution that Lava's Conv computes for a group of synapses; None where it cannot express the group.

    Args:
        synapse: the group.
        pre: population that it reads.
    """
    conv = _convolution(synapse, pre)
    return None if conv is None or _may_wrap(synapse, pre) else conv


def wraps_in_conv(synapse: Synapse, pre: InputPopulation | Population) -> bool:
    """Whether Lava's Conv could carry a group of synapses if its messages or weights were smaller.

    Args:
        synapse: the group.
        pre: population that it reads.
    """
    return _convolution(synapse, pre) is not None and _may_wrap(synapse, pre)


def _may_wrap(synapse: Synapse, pre: InputPopulation | Population) -> bool:
    """Whether the largest messages of all inputs in one step would exceed the 24 bits that Lava's Conv adds with."""
    return synapse.op.row_magnitude * pre.code.largest_message > V_MAX


def _convolution(synapse: Synapse, pre: InputPopulation | Population) -> Conv | None:
    """The convolution that a group of synapses is, however large its sums are."""
    if len(pre.shape) != 3 or synapse.index is not None or synapse.weight_exp != 0 or synapse.axon_delay != 0:
        return None
    make = AS_CONV.find(synapse.op)
    conv = None if make is None else make(synapse.op, pre.shape)
    if conv is None:
        return None
    cropped = conv.cropped(pre.shape)
    return cropped if all(before == after for before, after in cropped.window.padding) else None


def stock_form(synapse: Synapse, pre: InputPopulation | Population) -> StockForm:
    """The process of Lava that carries a group of synapses.

    Args:
        synapse: the group.
        pre: population that it reads.
    """
    if stock_conv(synapse, pre) is not None:
        return StockForm.CONV
    plain = synapse.index is None and synapse.axon_delay == 0
    return StockForm.DENSE if plain and len(pre.shape) == 1 and isinstance(synapse.op, Dense) else StockForm.SPARSE
