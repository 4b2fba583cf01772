"""Which images calibrate, which guide the search, and which measure the result: no image does two of these."""

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
        images, labels: (n, …) and (n,).
        source: where they come from, for reports.
        digest: hash of the positions they were taken from, so that a report can be checked against another.
    """

    images: Images
    labels: NDArray[np.int64]
    source: str
    digest: str

    def to_dict(self) -> dict[str, Any]:
        return {"images": len(self.images), "source": self.source, "positions_sha256": self.digest}


@dataclass(frozen=True, eq=False)
class DataSplit:
    """Three parts without a common image."""

    calibration: DataPart
    search: DataPart
    held_out: DataPart

    def to_dict(self) -> dict[str, Any]:
        return {name: part.to_dict() for name, part in vars(self).items()}


def split(data: Dataset, search_images: int, held_out_images: int | None, seed: int) -> DataSplit:
    """Draw the parts by `seed`.

    Args:
        search_images: that guide the search, at most half of the data.
        held_out_images: that measure the front; None for all others.

    Raises:
        DataError: when there are not enough images for all parts.
    """
    order = shuffled(range(len(data)), seed)
    first = 0
    calibration = DataPart(data.calibration, np.zeros(0, np.int64), f"calibration images of {data.name}", "as loaded")
    if not data.calibration_is_separate:  # they may be anywhere among the others: draw new ones
        first = min(len(data.calibration), len(data) // 3)
        calibration = _part(data, order[:first], seed)
    found = len(data) - first
    searched = min(search_images, found // 2)
    if searched < 1:
        raise DataError(f"{data.name}: found {len(data)} images, supported 2 and more besides those that calibrate")
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
