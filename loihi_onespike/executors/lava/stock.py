"""Synapses as Lava's own Dense, Conv and Sparse processes, wherever these express a synapse exactly.

Boards know only these. What they leave out, and what it means for a synapse:

    Conv     2-d, padding the same before and after; ignores weight_exp, wraps at 24 bits, has no delay; pooling and
             factors per channel too
    Dense    one input axis; 8-bit weights
    Sparse   any explicit matrix, so every map and every gather, as long as an entry stays an 8-bit weight
    Delay*   the same with a delay per synapse; recomputed from the delay matrix in every step, so slow

Spikes of signed populations and of codes with payload travel as graded messages, because the binary path turns every
message into 1.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import scipy.sparse as sp

import loihi_onespike.executors.lava.processes  # noqa: F401  # isort: skip  (before Lava, see there)
from lava.magma.core.process.ports.ports import OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.proc.conv.process import Conv as LavaConv
from lava.proc.dense.process import Dense as LavaDense
from lava.proc.sparse.process import DelaySparse as LavaDelaySparse
from lava.proc.sparse.process import Sparse as LavaSparse

from loihi_onespike.core.graphs.network import InputPopulation, Population, Synapse
from loihi_onespike.core.graphs.verify_network import MAX_WEIGHT
from loihi_onespike.core.maps import Conv, Shape
from loihi_onespike.core.maps.connectivity import synapse_matrix
from loihi_onespike.executors.lava.stock_forms import StockForm, stock_conv, stock_form

GRADED_MESSAGE_BITS = 8
"""Width of a graded message, which carries -127 … 127."""


class StockSynapse:
    """A stock process, and how spikes of (*pre_shape) reach it and its sums reach (*post_shape)."""

    def __init__(self, process: AbstractProcess, pre_shape: Shape, post_shape: Shape, whc: bool = False) -> None:
        self.process, self.pre_shape, self.post_shape, self.whc = process, pre_shape, post_shape, whc

    def connect_input(self, s_out: OutPort) -> None:
        """Connect the port that the spikes come from."""
        virtual = s_out.transpose([2, 1, 0]) if self.whc else s_out.reshape((prod(self.pre_shape),))
        virtual.connect(self.process.s_in)

    def output(self) -> Any:
        """Port of shape (*post_shape) to connect to a neuron's a_in."""
        a_out = self.process.a_out
        return a_out.transpose([2, 1, 0]) if self.whc else a_out.reshape(self.post_shape)


def stock_synapse(synapse: Synapse, pre: Population | InputPopulation, post_shape: Shape) -> StockSynapse | None:
    """The synapse as a stock process, None where none of them is exact.

    Args:
        synapse: the group of synapses.
        pre: population that it reads.
        post_shape: shape of the population that it feeds.
    """
    bits = GRADED_MESSAGE_BITS if pre.message_bits else 0
    conv = stock_conv(synapse, pre)
    if conv is not None:
        return StockSynapse(_conv(conv, synapse, pre.shape, bits), pre.shape, post_shape, whc=True)
    if stock_form(synapse, pre) is StockForm.DENSE:
        weights = synapse.op.weight.astype(np.int32)
        process = LavaDense(
            weights=weights, weight_exp=synapse.weight_exp, num_message_bits=bits, name=f"synapse {synapse.name}"
        )
        return StockSynapse(process, pre.shape, post_shape)
    matrix = synapse_matrix(synapse.op, pre.shape, synapse.index).astype(np.int32)
    # Several taps on one neuron (overlapping gathers) add up in an explicit matrix, and 8 bits may not hold the sum.
    if matrix.nnz == 0 or abs(matrix).max() > MAX_WEIGHT:
        return None
    return StockSynapse(_sparse(synapse, matrix, bits), pre.shape, post_shape)


def _conv(op: Conv, synapse: Synapse, pre_shape: Shape, bits: int) -> LavaConv:
    """Lava convolves (kernel flipped) over (x, y, channel); torch and the IR correlate over (channel, y, x)."""
    window = op.window
    return LavaConv(
        weight=np.ascontiguousarray(op.weight[:, :, ::-1, ::-1].transpose(0, 3, 2, 1)).astype(np.int32),
        input_shape=pre_shape[::-1],
        padding=tuple(before for before, _ in window.padding[::-1]),
        stride=window.stride[::-1],
        dilation=window.dilation[::-1],
        groups=op.groups,
        **_parameters(synapse, bits),
    )


def _sparse(synapse: Synapse, matrix: sp.csr_matrix, bits: int) -> AbstractProcess:
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    parameters = _parameters(synapse, bits)
    if synapse.axon_delay == 0:
        return LavaSparse(weights=matrix, **parameters)
    delays = matrix.astype(np.int64)
    delays.data = np.full_like(delays.data, synapse.axon_delay)
    return LavaDelaySparse(weights=matrix, delays=delays, max_delay=synapse.axon_delay, **parameters)


def _parameters(synapse: Synapse, bits: int) -> dict[str, Any]:
    """What all stock synapses take."""
    return {"weight_exp": synapse.weight_exp, "num_message_bits": bits, "name": f"synapse {synapse.name}"}
