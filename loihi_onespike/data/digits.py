"""scikit-learn's handwritten digits: 1,797 grey images of 8 x 8 pixels, values 0..16.

They ship inside scikit-learn (a part of UCI "Optical Recognition of Handwritten Digits"), so nothing is downloaded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.data.dataset import Dataset, shuffled

SPLIT_SEED = 0
TEST_SHARE = 1 / 3
GREY_LEVELS = 17
INPUT_BITS = 5
"""Number of bits that represent 17 grey levels exactly."""


@dataclass(frozen=True, eq=False)
class DigitsSplit:
    """Disjoint parts with the classes in equal shares.

    Attributes:
        train: positions of the training part in the full data.
        test: positions of the test part.
    """

    train: NDArray[np.int64]
    test: NDArray[np.int64]


def split(labels: NDArray[np.int64]) -> DigitsSplit:
    """A third of every class for testing and the rest for training, in the order of a hash of the position."""
    train, test = [], []
    for digit in np.unique(labels):
        order = shuffled(np.flatnonzero(labels == digit), SPLIT_SEED)
        cut = round(len(order) * TEST_SHARE)
        test.append(order[:cut])
        train.append(order[cut:])
    return DigitsSplit(shuffled(np.concatenate(train), SPLIT_SEED), shuffled(np.concatenate(test), SPLIT_SEED))


def arrays() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """All images (1797, 1, 8, 8) with values k / 16 in 0..1, and labels (1797,)."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return (bunch.images / (GREY_LEVELS - 1)).astype(np.float32)[:, None], bunch.target.astype(np.int64)


def training_part() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The 1,198 images and labels of the training part, from which the calibration images are taken."""
    x, y = arrays()
    chosen = split(y).train
    return x[chosen], y[chosen]


def load_digits_data(calibration_images: int = 512) -> Dataset:
    """The test part, with calibration images drawn from the training part."""
    x, y = arrays()
    parts = split(y)
    calibration = x[parts.train[:calibration_images]]
    return Dataset("digits", x[parts.test], y[parts.test], calibration, tuple(str(d) for d in range(10)))
