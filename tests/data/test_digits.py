import numpy as np

from loihi_onespike.data import load_data
from loihi_onespike.data.digits import arrays, split


def test_pixels_are_sixteenths_in_the_shape_a_convolution_takes():
    x, y = arrays()
    assert x.shape == (1797, 1, 8, 8) and x.dtype == np.float32
    assert np.array_equal(x * 16, np.rint(x * 16)) and x.min() == 0 and x.max() == 1
    assert y.dtype == np.int64 and set(y) == set(range(10))


def test_parts_are_disjoint_complete_and_stratified():
    _, y = arrays()
    parts = split(y)
    assert sorted([*parts.train, *parts.test]) == list(range(1797))
    per_class = np.bincount(y)
    assert np.array_equal(np.bincount(y[parts.test]), np.rint(per_class / 3))


def test_the_split_never_moves():
    """First entries written down when the weights of the demo were trained: another split would leak test images."""
    parts = split(arrays()[1])
    assert parts.test[:5].tolist() == TEST_BEGINS and parts.train[:5].tolist() == TRAIN_BEGINS


def test_calibration_images_come_from_the_training_part():
    x, y = arrays()
    parts = split(y)
    data = load_data("digits", calibration_images=100)
    assert data.calibration_is_separate and data.calibration.shape == (100, 1, 8, 8)
    assert np.array_equal(data.calibration, x[parts.train[:100]])
    assert np.array_equal(data.images, x[parts.test]) and np.array_equal(data.labels, y[parts.test])


def test_asking_for_more_calibration_images_than_there_are_gives_all():
    assert len(load_data("digits", calibration_images=5000).calibration) == 1198


TEST_BEGINS = [61, 798, 793, 1609, 988]
TRAIN_BEGINS = [383, 127, 239, 1781, 1029]
