"""The checker's own count of each map, tap by tap and place by place; it shares no code with the mapper."""

from __future__ import annotations

import itertools
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.maps import Conv, Dense, Diagonal, Pool, Shape, Sparse, Window
from loihi_onespike.core.maps.registry import MapRegistry

Targets = NDArray[np.int64]


class MapRecount(Protocol):
    """What the recount has to know of a map."""

    @property
    def spatial(self) -> bool:
        """The map keeps channels and space apart."""

    def taps(self, op: Any, shape: Shape) -> Window | None:
        """Taps of the one kernel that serves all places; None where there is no such kernel.

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

    def mark(self, op: Any, targets: Targets, low: Shape, high: Shape, zeros: bool) -> None:
        """Add to each place of the input the number of its synapses onto a block of outputs.

        Args:
            op: The map.
            targets: Numbers of targets in the shape of the input; changed in place.
            low: First index of the block along each axis.
            high: Index after the last one along each axis.
            zeros: Synapses with weight 0 count.
        """

    def region(self, low: Shape, high: Shape) -> tuple[Any, ...]:
        """Index of the places of the input among which those lie that `mark` changes.

        Args:
            low: First index of the block along each axis.
            high: Index after the last one along each axis.
        """


RECOUNTS: MapRegistry[MapRecount] = MapRegistry("the recount of a mapping", __name__)


class _Listed:
    """A map that is no kernel: its synapses are lists of targets."""

    spatial = False

    def taps(self, op: Any, shape: Shape) -> Window | None:
        return None

    def outputs(self, op: Any, channel: int, low: int, high: int) -> int:
        return 0

    def region(self, low: Shape, high: Shape) -> tuple[Any, ...]:
        return ()  # all places, where a map knows nothing narrower


def _slices(low: Shape, high: Shape) -> tuple[slice, ...]:
    return tuple(slice(a, b) for a, b in zip(low, high, strict=True))


class _Dense(_Listed):
    def region(self, low: Shape, high: Shape) -> tuple[Any, ...]:
        return _slices(low[:-1], high[:-1])

    def mark(self, op: Dense, targets: Targets, low: Shape, high: Shape, zeros: bool) -> None:
        lead = self.region(low, high)
        for row in op.weight[low[-1] : high[-1]]:
            targets[lead] += (row != 0) | zeros


class _Sparse(_Listed):
    def region(self, low: Shape, high: Shape) -> tuple[Any, ...]:
        return slice(None), *_slices(low[1:], high[1:])

    def mark(self, op: Sparse, targets: Targets, low: Shape, high: Shape, zeros: bool) -> None:
        inner = _slices(low[1:], high[1:])
        rows = op.weight[low[0] : high[0]].tocsr()
        for node, weight in zip(rows.indices, rows.data, strict=True):
            of_node = targets[node : node + 1]
            where = (slice(None), *inner)
            of_node[where] += int(zeros or weight != 0)


class _Diagonal:
    spatial = True

    def taps(self, op: Diagonal, shape: Shape) -> Window | None:
        full = np.broadcast_to(op.weight, shape).reshape(shape[0], -1)
        # A number for all, or one per channel: (C, 1, …). Written out over space it is a number per neuron.
        channelwise = op.weight.shape[1:] == (1,) * (len(shape) - 1) and op.weight.ndim == len(shape)
        one = op.weight.size == 1 or (channelwise and bool(np.all(full == full[:, :1])))
        return Window.plain((1,) * (len(shape) - 1)) if one else None

    def outputs(self, op: Diagonal, channel: int, low: int, high: int) -> int:
        return int(low <= channel < high)

    def region(self, low: Shape, high: Shape) -> tuple[Any, ...]:
        return _slices(low, high)

    def mark(self, op: Diagonal, targets: Targets, low: Shape, high: Shape, zeros: bool) -> None:
        block = _slices(low, high)
        targets[block] += (np.broadcast_to(op.weight, targets.shape)[block] != 0) | zeros


class _Pool:
    spatial = True

    def taps(self, op: Pool | Conv, shape: Shape) -> Window | None:
        return op.window

    def outputs(self, op: Any, channel: int, low: int, high: int) -> int:
        return int(low <= channel < high)

    def region(self, low: Shape, high: Shape) -> tuple[Any, ...]:
        return ()

    def through(self, op: Any, tap: Shape, channel: int, low: int, high: int, zeros: bool) -> int:
        """Number of output channels that an input channel reaches through one tap."""
        return self.outputs(op, channel, low, high) if zeros or op.weight != 0 else 0

    def mark(self, op: Pool | Conv, targets: Targets, low: Shape, high: Shape, zeros: bool) -> None:
        window, spatial = op.window, targets.shape[1:]
        for tap in itertools.product(*(range(k) for k in window.kernel)):
            channels = range(targets.shape[0])
            reached = np.array([self.through(op, tap, c, low[0], high[0], zeros) for c in channels])
            for out in itertools.product(*(range(a, b) for a, b in zip(low[1:], high[1:], strict=True))):
                place = tuple(
                    o * window.stride[d] - window.padding[d][0] + tap[d] * window.dilation[d] for d, o in enumerate(out)
                )
                if all(0 <= p < n for p, n in zip(place, spatial, strict=True)):
                    of_channels: tuple[Any, ...] = (slice(None), *place)
                    targets[of_channels] += reached


class _Conv(_Pool):
    def outputs(self, op: Conv, channel: int, low: int, high: int) -> int:
        first, end = self._group(op, channel, low, high)
        return max(end - first, 0)

    def through(self, op: Conv, tap: Shape, channel: int, low: int, high: int, zeros: bool) -> int:
        first, end = self._group(op, channel, low, high)
        if zeros or end <= first:
            return max(end - first, 0)
        taken: tuple[Any, ...] = (slice(first, end), channel % op.weight.shape[1], *tap)
        return int(np.count_nonzero(op.weight[taken]))

    def _group(self, op: Conv, channel: int, low: int, high: int) -> tuple[int, int]:
        """Output channels of a block that belong to the group of an input channel."""
        size = op.weight.shape[0] // op.groups
        first = channel // op.weight.shape[1] * size
        return max(low, first), min(high, first + size)


RECOUNTS.add(Conv, _Conv())
RECOUNTS.add(Dense, _Dense())
RECOUNTS.add(Diagonal, _Diagonal())
RECOUNTS.add(Pool, _Pool())
RECOUNTS.add(Sparse, _Sparse())
