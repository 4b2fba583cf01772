"""The checker's own count of each map, tap by tap and place by place; it shares no code with the mapper."""

from __future__ import annotations

import itertools
from math import prod
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.maps import Conv, Dense, Diagonal, Pool, Shape, Sparse
from loihi_onespike.core.maps.registry import MapRegistry

Targets = NDArray[np.int64]


class MapRecount(Protocol):
    """What the recount has to know of a map."""

    @property
    def spatial(self) -> bool:
        """The map keeps channels and space apart."""

    def taps(self, op: Any, shape: Shape) -> int:
        """Taps of the one kernel that serves all places; 0 where there is no such kernel.

        Args:
            op: The map.
            shape: Shape of its input.
        """

    def outputs(self, op: Any, channel: int, low: int, high: int) -> int:
        """Number of output channels that an input channel reaches through such a kernel.

        Args:
            op: The map.
            channel: Number of the input channel.
            low: First output channel of the block.
            high: Output channel after the last one.
        """

    def mark(self, op: Any, targets: Targets, low: Shape, high: Shape) -> None:
        """Add to each place of the input the number of its synapses onto a block of outputs.

        Args:
            op: The map.
            targets: Numbers of targets in the shape of the input; changed in place.
            low: First index of the block along each axis.
            high: Index after the last one along each axis.
        """


RECOUNTS: MapRegistry[MapRecount] = MapRegistry("the recount of a mapping", __name__)


class _Listed:
    """A map that is no kernel: its synapses are lists of targets."""

    spatial = False

    def taps(self, op: Any, shape: Shape) -> int:
        return 0

    def outputs(self, op: Any, channel: int, low: int, high: int) -> int:
        return 0


class _Dense(_Listed):
    def mark(self, op: Dense, targets: Targets, low: Shape, high: Shape) -> None:
        lead = tuple(slice(a, b) for a, b in zip(low[:-1], high[:-1], strict=True))
        targets[lead] += high[-1] - low[-1]


class _Sparse(_Listed):
    def mark(self, op: Sparse, targets: Targets, low: Shape, high: Shape) -> None:
        inner = tuple(slice(a, b) for a, b in zip(low[1:], high[1:], strict=True))
        for node in op.weight[low[0] : high[0]].tocsr().indices:
            of_node = targets[node : node + 1]
            where = (slice(None), *inner)
            of_node[where] += 1


class _Diagonal:
    spatial = True

    def taps(self, op: Diagonal, shape: Shape) -> int:
        full = np.broadcast_to(op.weight, shape).reshape(shape[0], -1)
        # A number for all, or one per channel: (C, 1, …). Written out over space it is a number per neuron.
        channelwise = op.weight.shape[1:] == (1,) * (len(shape) - 1) and op.weight.ndim == len(shape)
        return int(op.weight.size == 1 or (channelwise and bool(np.all(full == full[:, :1]))))

    def outputs(self, op: Diagonal, channel: int, low: int, high: int) -> int:
        return int(low <= channel < high)

    def mark(self, op: Diagonal, targets: Targets, low: Shape, high: Shape) -> None:
        targets[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] += 1


class _Pool:
    spatial = True

    def taps(self, op: Pool | Conv, shape: Shape) -> int:
        return prod(op.window.kernel)

    def outputs(self, op: Any, channel: int, low: int, high: int) -> int:
        return int(low <= channel < high)

    def mark(self, op: Pool | Conv, targets: Targets, low: Shape, high: Shape) -> None:
        window, spatial = op.window, targets.shape[1:]
        read = np.zeros(spatial, np.int64)
        for tap in itertools.product(*(range(k) for k in window.kernel)):
            for out in itertools.product(*(range(a, b) for a, b in zip(low[1:], high[1:], strict=True))):
                place = tuple(
                    o * window.stride[d] - window.padding[d][0] + tap[d] * window.dilation[d] for d, o in enumerate(out)
                )
                if all(0 <= p < n for p, n in zip(place, spatial, strict=True)):
                    read[place] += 1
        for channel in range(targets.shape[0]):
            targets[channel] = read * self.outputs(op, channel, low[0], high[0])


class _Conv(_Pool):
    def outputs(self, op: Conv, channel: int, low: int, high: int) -> int:
        size = op.weight.shape[0] // op.groups
        first = channel // op.weight.shape[1] * size
        return max(min(high, first + size) - max(low, first), 0)


RECOUNTS.add(Conv, _Conv())
RECOUNTS.add(Dense, _Dense())
RECOUNTS.add(Diagonal, _Diagonal())
RECOUNTS.add(Pool, _Pool())
RECOUNTS.add(Sparse, _Sparse())
