"""The float32 map of one synapse group, with a bound on its error, for layers that bounds decide."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.core.graphs.network import InputPopulation, Population, Synapse
from loihi_onespike.core.maps import LinearMap
from loihi_onespike.executors.fast.bounded.bounds import EXACT_BELOW, FINEST, UNIT_ROUNDOFF
from loihi_onespike.executors.fast.code_bits import narrow_words
from loihi_onespike.executors.float.quantize_kernel import look_up
from loihi_onespike.executors.tensors.memory_order import from_memory, memory_order
from loihi_onespike.executors.tensors.stage_sum import memory_gather
from loihi_onespike.executors.tensors.tensor_maps import tensor_map
from loihi_onespike.executors.threads import over_rows


class FloatSource:
    """The float map of one synapse group, and the values that it reads.

    Args:
        synapse: the group of synapses.
        pre: population that it reads.
        values: value of every code word (`bounds.values_of_codes`).
        magnitude: largest Σ |w · value| onto a neuron, in units of its threshold.
    """

    def __init__(
        self, synapse: Synapse, pre: InputPopulation | Population, values: NDArray[np.float64], magnitude: float
    ) -> None:
        self.pre, self.seen = pre, seen_by(synapse, pre)
        op, terms = synapse.op, synapse.op.fan_in
        row = op.row_magnitude
        self._gather = memory_gather(synapse.index, torch.device("cpu"))
        self._map = tensor_map(op, None, torch.float32, channels_last=True)
        self._exponent = 2.0**synapse.weight_exp
        self.split, plain = False, (terms + 6) * UNIT_ROUNDOFF
        top = max(float(values.max()), 1.0)
        bits = int(np.floor(np.log2(EXACT_BELOW / (max(row, 1.0) * top))))
        if np.array_equal(np.floor(values * 2.0**bits), values * 2.0**bits):
            self._tables, self.relative_error = [values], 0.0
        else:
            self.split = plain * magnitude > FINEST and bits + int(np.log2(top)) >= 4
            head = np.floor(values * 2.0**bits) / 2.0**bits if self.split else values
            self._tables = [head, values - head] if self.split else [values]
            self.relative_error = plain * (float((values - head).max() / values.max()) if self.split else 1.0)
        if isinstance(pre, Population) and pre.signed:
            self._tables = [np.concatenate([t, -t[:0:-1]]) for t in self._tables]
        self._tables = [t.astype(np.float32) for t in self._tables]

    def values(self, codes: NDArray[np.integer]) -> list[torch.Tensor]:
        """Values of codes (B, *shape), or their head and rest if split; feature maps in channels-last memory."""
        flat = np.ascontiguousarray(memory_order(narrow_words(codes, self.pre.code)))
        found = []
        for table in self._tables:
            out = np.empty(flat.shape, np.float32)
            over_rows(look_up, len(flat), flat, table, out)
            found.append(torch.from_numpy(from_memory(out, codes.shape[1:])))
        return found

    def apply(self, x: torch.Tensor) -> torch.Tensor:
        """Sums of the map in float32 for values (B, *shape)."""
        y = self._map(x if self._gather is None else self._gather(x))
        return y if self._exponent == 1 else y * self._exponent


def seen_by(synapse: Synapse, pre: InputPopulation | Population) -> tuple[int, ...]:
    """Shape that the map of a group of synapses reads."""
    return pre.shape if synapse.index is None else synapse.index.shape


def largest_step(op: LinearMap, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Largest Σ |w s| of a step, broadcastable to the shape of the output.

    The float error grows with Σ |w x|. All magnitudes are therefore added up, even where all spikes have one sign.

    Args:
        op: the map.
        shape: shape of its output.
    """
    return op.row_sums(len(shape)).magnitude
