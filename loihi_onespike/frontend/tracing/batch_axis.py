"""Where the batch is in a traced tensor.

Models move the batch: attention permutes (N, L, 3, H, d) to (3, N, H, L, d), layers that expect the sequence first take
(L, N, E), and exported programs fold batch and heads into one axis (N·H, L, d). The graph knows samples only, so that
all of these are one value of the sample; what is kept is where the samples are in the tensor.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.core.maps import Shape
from loihi_onespike.errors import Finding


@dataclass(frozen=True)
class BatchAxis:
    """One axis of a tensor holds `before` · B · `after` places, of which the index in the middle is the sample.

    The sample has the other axes, and one of `before` · `after` places where that is more than one.

    Attributes:
        axis: the axis of the tensor.
        before, after: numbers of places of the sample in front of the batch and behind it.
        finding: the operation that moved the batch, reported where a model needs it in front; None in front.
    """

    axis: int = 0
    before: int = 1
    after: int = 1
    finding: Finding | None = field(default=None, compare=False)

    @property
    def in_front(self) -> bool:
        """Whether axis 0 is the batch, and nothing else."""
        return (self.axis, self.before, self.after) == (0, 1, 1)

    @property
    def folded(self) -> int:
        """Places of the sample on the axis of the batch."""
        return self.before * self.after

    def sample_shape(self, shape: Shape) -> Shape:
        """Shape of a sample from that of the tensor."""
        own = (self.folded,) if self.folded > 1 else ()
        return (*shape[: self.axis], *own, *shape[self.axis + 1 :])

    def tensor_shape(self, sample: Shape, batch: int) -> Shape:
        """Shape of the tensor from that of a sample."""
        rest = sample[self.axis + (self.folded > 1) :]
        return (*sample[: self.axis], batch * self.folded, *rest)

    def to_front(self, tensor: torch.Tensor, batch: int) -> torch.Tensor:
        """(B, *sample) of a tensor."""
        shape = tuple(tensor.shape)
        parts = tensor.reshape(*shape[: self.axis], self.before, batch, self.after, *shape[self.axis + 1 :])
        return parts.movedim(self.axis + 1, 0).reshape(batch, *self.sample_shape(shape))

    def from_front(self, samples: torch.Tensor) -> torch.Tensor:
        """The tensor of (B, *sample)."""
        batch, sample = len(samples), tuple(samples.shape[1:])
        rest = sample[self.axis + (self.folded > 1) :]
        parts = samples.reshape(batch, *sample[: self.axis], self.before, self.after, *rest)
        return parts.movedim(0, self.axis + 1).reshape(self.tensor_shape(sample, batch))

    def sample_axis(self, dim: int, rank: int) -> int | None:
        """Axis of the sample for an axis of the tensor, None for that of the batch.

        Args:
            dim: axis of the tensor, negative from its end.
            rank: number of axes of the tensor.
        """
        dim %= rank
        if dim == self.axis:
            return None
        return dim - (dim > self.axis and self.folded == 1)


IN_FRONT = BatchAxis()


def find_batch(samples: NDArray[np.int64], batch: int) -> BatchAxis | None:
    """Where the batch is in a tensor, from the sample of every place; None where it is mixed with other axes.

    Args:
        samples: number of the sample at every place of the tensor, -1 where the place is of none.
        batch: number of samples.
    """
    for found in _candidates(samples.shape, batch):
        along = np.arange(samples.shape[found.axis]) // found.after % batch
        expected = along.reshape(-1, *(1,) * (samples.ndim - 1 - found.axis))
        if ((samples == expected) | (samples < 0)).all():
            return found
    return None


def _candidates(shape: Shape, batch: int) -> Iterator[BatchAxis]:
    """The batch as an axis of its own first, then in front of other places of its axis, then among them."""
    axes = [axis for axis, size in enumerate(shape) if size and size % batch == 0]
    yield from (BatchAxis(axis) for axis in axes if shape[axis] == batch)
    for axis in axes:
        places = shape[axis] // batch
        befores = [before for before in range(1, places + 1) if places % before == 0]
        yield from (BatchAxis(axis, before, places // before) for before in befores if places > 1)
