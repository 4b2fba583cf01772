"""Division of a data set into images that calibrate, guide the search, and measure the result."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.data import Dataset
from loihi_onespike.data.dataset import Images, LazyImages, shuffled
from loihi_onespike.errors import DataError


@dataclass(frozen=True, eq=False)
class DataPart:
    """Some images of a data set.

    Attributes:
        images: (n, …).
        labels: (n,).
        source: origin of the images, for reports.
        digest: hash of their positions in the data set, which identifies them in reports.
    """

    images: Images
    labels: NDArray[np.int64]
    source: str
    digest: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-like values: number, origin and digest of the images."""
        return {"images": len(self.images), "source": self.source, "positions_sha256": self.digest}


@dataclass(frozen=True, eq=False)
class DataSplit:
    """Three parts of a data set without common images.

    Attributes:
        calibration: images that calibrate every network.
        search: images that the search is guided by.
        held_out: images that the result is measured on.
    """

    calibration: DataPart
    search: DataPart
    held_out: DataPart

    def to_dict(self) -> dict[str, Any]:
        """JSON-like values by part."""
        return {name: part.to_dict() for name, part in vars(self).items()}


def split(data: Dataset, search_images: int, held_out_images: int | None, seed: int) -> DataSplit:
    """Draw the parts.

    Args:
        data: the data set.
        search_images: number of images that guide the search, at most half of the data.
        held_out_images: number of images that measure the front; None for all others.
        seed: seed of the random order.

    Raises:
        DataError: there are not enough images for all parts.
    """
    order = shuffled(range(len(data)), seed)
    first = 0
    calibration = DataPart(data.calibration, np.zeros(0, np.int64), f"calibration images of {data.name}", "as loaded")
    if not data.calibration_is_separate:  # They may be among the other images, so new ones are drawn.
        first = min(len(data.calibration), len(data) // 3)
        calibration = _part(data, order[:first], seed)
    found = len(data) - first
    searched = min(search_images, found // 2)
    if searched < 1:
        raise DataError(f"{data.name}: requires 2 images besides those of the calibration, got {found}")
    end = None if held_out_images is None else first + searched + held_out_images
    return DataSplit(
        calibration,
        _part(data, order[first : first + searched], seed),
        _part(data, order[first + searched : end], seed),
    )


def _part(data: Dataset, positions: NDArray[np.int64], seed: int) -> DataPart:
    chosen = np.sort(positions)
    images = data.images.subset(chosen) if isinstance(data.images, LazyImages) else data.images[chosen]
    source = f"{len(chosen)} of the {len(data)} evaluated images of {data.name}, drawn by seed {seed}"
    return DataPart(images, data.labels[chosen], source, sha256(chosen.tobytes()).hexdigest()[:16])
