"""The data set that every loader returns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.errors import DataError


class LazyImages:
    """Images (N, *shape) as float32 that are read from disk when they are sliced.

    Attributes:
        read: function that returns image i as an array.
        indices: numbers of the images, in this order.
        shape: (N, *shape of one image).
    """

    dtype = np.dtype(np.float32)

    def __init__(self, read: Callable[[int], NDArray[np.float32]], indices: NDArray[np.int64]) -> None:
        if len(indices) == 0:
            raise DataError("images: must be at least one, got none")
        self.read, self.indices = read, indices
        self.shape = (len(indices), *read(int(indices[0])).shape)

    @property
    def ndim(self) -> int:
        """Number of axes, that of the images included."""
        return len(self.shape)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, key: slice | NDArray[np.integer]) -> NDArray[np.float32]:
        """The images of a slice or of an array of positions, (n, *shape). DataError when their shapes differ."""
        images = [self.read(int(i)) for i in self.indices[key]]
        shapes = {image.shape for image in images}
        if len(shapes) > 1:
            raise DataError(
                f"images: must all have the same shape, got {sorted(shapes)}; resize and crop them (--resize, --crop)"
            )
        return np.stack(images) if images else np.empty((0, *self.shape[1:]), np.float32)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """All images in memory."""
        return self[:].astype(self.dtype if dtype is None else dtype, copy=False)

    def subset(self, positions: NDArray[np.integer]) -> LazyImages:
        """The images at some positions, still on disk."""
        return LazyImages(self.read, self.indices[positions])


Images: TypeAlias = NDArray[Any] | LazyImages
Samples: TypeAlias = Any
"""Images, or `NamedInputs` for a model of several inputs; both are sliced by samples."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled images to evaluate, and images to calibrate with.

    Attributes:
        name: name for reports.
        images: (N, …) float, as the model takes them; of a model of several inputs one array for each.
        labels: (N,) class numbers.
        calibration: (M, …) float, or several arrays, from a part of the data that is never evaluated wherever the
            source has one.
        classes: names of the classes, empty where unknown.
        calibration_is_separate: False where the source has one part only and `calibration` was drawn from `images`.
    """

    name: str
    images: Samples
    labels: NDArray[np.int64]
    calibration: Samples
    classes: tuple[str, ...] = ()
    calibration_is_separate: bool = True

    def __post_init__(self) -> None:
        if len(self.images) != len(self.labels):
            raise DataError(
                f"{self.name}: needs one label per image, got {len(self.images)} images and {len(self.labels)} labels"
            )

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, count: int | None) -> Dataset:
        """The data set with `count` images spread evenly, so that all classes of sorted data occur; None takes all."""
        if count is None or count >= len(self):
            return self
        chosen = spread(len(self), count)
        images = self.images.subset(chosen) if isinstance(self.images, LazyImages) else self.images[chosen]
        return Dataset(
            self.name, images, self.labels[chosen], self.calibration, self.classes, self.calibration_is_separate
        )


def spread(total: int, count: int) -> NDArray[np.int64]:
    """`count` of `total` positions at even distances; DataError where `count` is below 1."""
    if count < 1:
        raise DataError(f"number of images: must be an integer in [1, {total}], got {count}")
    return np.arange(count, dtype=np.int64) * total // count


def shuffled(indices: Sequence[int] | NDArray[np.integer], seed: int) -> NDArray[np.int64]:
    """The indices in the order of the hashes sha256("seed index"), which no version of a library changes."""
    ordered = sorted(map(int, indices), key=lambda i: sha256(f"{seed} {i}".encode()).digest())
    return np.array(ordered, dtype=np.int64)


def draw(total: int, count: int, seed: int) -> NDArray[np.int64]:
    """Positions chosen by a seed, in increasing order.

    Args:
        total: number of positions.
        count: number of positions to choose; all where there are no more.
        seed: seed of the choice.
    """
    return np.sort(shuffled(range(total), seed)[:count])
