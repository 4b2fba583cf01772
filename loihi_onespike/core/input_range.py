"""The range of inputs that a network was calibrated for, and how many values lie far outside of it.

Inputs are saturated to [low, high] by their code. A little beyond that is usual. Values beyond by more than MARGIN of
the width come from data that were scaled in another way than those of the calibration.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.core.graphs.network import InputPopulation

MARGIN = 0.5
"""Share of the width of the range by which values may lie outside of it and are not counted."""


@dataclass(frozen=True, eq=False)
class InputRange:
    """What the input population of a network can carry.

    Attributes:
        low, high: smallest and largest value, broadcastable to a sample.
        inner: the range, margins included, in which every value of every channel is taken.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    inner: tuple[float, float]

    @classmethod
    def of(cls, population: InputPopulation) -> InputRange:
        """The range of a population: offset to offset + scale · the largest code word."""
        top = float(population.code.decode(population.code.words()).max())
        low, width = np.broadcast_arrays(population.offset, population.scale * top)
        high = low + width
        inner = float((low - MARGIN * width).max()), float((high + MARGIN * width).min())
        return cls(np.asarray(low), np.asarray(high), inner)

    def holds(self, values: NDArray[Any]) -> bool:
        """Whether all values are finite and within the narrowest range of a channel: two passes over the values."""
        return values.size == 0 or bool(values.min() >= self.inner[0] and values.max() <= self.inner[1])

    def far_outside(self, x: NDArray[Any] | SparseSample) -> int:
        """Number of values that lie outside by more than MARGIN of the width of their channel's range."""
        if isinstance(x, SparseSample):
            values, low, high = x.matrix.data, x.at_entries(self.low), x.at_entries(self.high)
        else:
            values, low, high = x, self.low, self.high
        margin = MARGIN * (high - low)
        return int(np.count_nonzero((values < low - margin) | (values > high + margin)))

    def __str__(self) -> str:
        return f"[{self.low.min():.6g}, {self.high.max():.6g}]"
