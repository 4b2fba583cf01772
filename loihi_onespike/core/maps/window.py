"""The sliding window of convolutions and pooling."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.maps.shapes import Shape
from loihi_onespike.errors import GraphError


@dataclass(frozen=True)
class Window:
    """Sliding window over the spatial axes of a (C, *spatial) array.

    out_d = floor((in_d + before_d + after_d - dilation_d (kernel_d - 1) - 1) / stride_d) + 1

    Attributes:
        kernel: taps per spatial axis.
        stride: step of the window per spatial axis.
        padding: (before, after) per spatial axis; padded places carry no spike.
        dilation: distance of neighbouring taps per spatial axis.
    """

    kernel: Shape
    stride: Shape
    padding: tuple[tuple[int, int], ...]
    dilation: Shape

    def __post_init__(self) -> None:
        lengths = {len(self.kernel), len(self.stride), len(self.padding), len(self.dilation)}
        if len(lengths) != 1:
            raise GraphError(f"window: kernel, stride, padding and dilation must have the same rank, got {self}")
        if min(self.kernel + self.stride + self.dilation) < 1 or min(min(p) for p in self.padding) < 0:
            raise GraphError(f"window: kernel, stride and dilation must be ≥ 1 and padding ≥ 0, got {self}")

    @classmethod
    def plain(cls, kernel: Shape) -> Window:
        """Stride 1, no padding, no dilation."""
        ones = (1,) * len(kernel)
        return cls(kernel, ones, ((0, 0),) * len(kernel), ones)

    @property
    def count(self) -> int:
        """Number of taps."""
        return int(np.prod(self.kernel))

    def output(self, spatial: Shape) -> Shape:
        """Spatial output shape.

        Raises:
            GraphError: the window does not fit into the spatial shape.
        """
        if len(spatial) != len(self.kernel):
            raise GraphError(f"window of rank {len(self.kernel)} over spatial shape {spatial}")
        geometry = zip(spatial, self.kernel, self.stride, self.padding, self.dilation, strict=True)
        out = tuple((n + lo + hi - d * (k - 1) - 1) // s + 1 for n, k, s, (lo, hi), d in geometry)
        if min(out, default=1) < 1:
            raise GraphError(f"window {self.kernel} with dilation {self.dilation} does not fit into {spatial}")
        return out

    def cropped(self, spatial: Shape) -> tuple[Window, tuple[slice, ...]]:
        """The window without outer taps that see nothing but padding at every place, and which taps remain.

        It joins the same places of input and output. A kernel of 3 × 3 with padding 1 over 1 × 1 places becomes one of
        1 × 1 without padding. Where the padding can be the same on both sides of an axis, it is: Lava's convolution
        knows no other.

        Args:
            spatial: spatial shape of the input.
        """
        out = self.output(spatial)
        axes = [self._cropped_axis(d, n, out[d]) for d, n in enumerate(spatial)]
        taps = tuple(taps for taps, _ in axes)
        kernel = tuple(t.stop - t.start for t in taps)
        window = Window(kernel, self.stride, tuple(padding for _, padding in axes), self.dilation)
        return (self if window == self else window), taps

    def _cropped_axis(self, axis: int, size: int, out: int) -> tuple[slice, tuple[int, int]]:
        """Taps of one axis that remain, and the padding that leaves them where they were."""
        kernel, stride, dilation = self.kernel[axis], self.stride[axis], self.dilation[axis]
        before = self.padding[axis][0]
        place = np.arange(out)[:, None] * stride - before + np.arange(kernel) * dilation
        used = np.flatnonzero(((place >= 0) & (place < size)).any(axis=0))
        whole = slice(0, kernel), self.padding[axis]
        found = [(self.padding[axis][0] != self.padding[axis][1], kernel, whole)]
        if not len(used):
            return whole
        for first, end in itertools.product(range(int(used[0]) + 1), range(int(used[-1]) + 1, kernel + 1)):
            low = before - first * dilation
            least = (out - 1) * stride + dilation * (end - first - 1) + 1 - size - low
            if low < 0 or least + stride <= 0:  # padding is not negative, and the number of outputs stays
                continue
            high = low if max(least, 0) <= low < least + stride else max(least, 0)
            found.append((low != high, end - first, (slice(first, end), (low, high))))
        return min(found, key=lambda f: f[:2])[2]

    def taps(self, spatial: Shape) -> list[tuple[Shape, NDArray[np.int64], NDArray[np.int64]]]:
        """For each kernel tap: its position, and the flat output and input places that it joins."""
        out = self.output(spatial)
        taps = []
        for tap in itertools.product(*(range(k) for k in self.kernel)):
            out_places, in_places = np.zeros((1,), np.int64), np.zeros((1,), np.int64)
            for axis, position in enumerate(tap):
                o = np.arange(out[axis])
                i = o * self.stride[axis] - self.padding[axis][0] + position * self.dilation[axis]
                inside = (i >= 0) & (i < spatial[axis])
                out_places = (out_places[:, None] * out[axis] + o[inside]).ravel()
                in_places = (in_places[:, None] * spatial[axis] + i[inside]).ravel()
            taps.append((tap, out_places, in_places))
        return taps

    def readers(self, spatial: Shape) -> NDArray[np.int64]:
        """Number of windows that cover each place: the product over the axes of the taps that reach it."""
        total = np.ones((), np.int64)
        out = self.output(spatial)
        for axis, size in enumerate(spatial):
            o, tap = np.meshgrid(np.arange(out[axis]), np.arange(self.kernel[axis]), indexing="ij")
            place = o * self.stride[axis] - self.padding[axis][0] + tap * self.dilation[axis]
            inside = place[(place >= 0) & (place < size)]
            total = np.multiply.outer(total, np.bincount(inside, minlength=size))
        return total
