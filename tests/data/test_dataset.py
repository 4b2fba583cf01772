import numpy as np
import pytest
import torch

from loihi_onespike import convert
from loihi_onespike.data import Dataset, LazyImages
from loihi_onespike.data.dataset import draw, shuffled
from loihi_onespike.errors import DataError


def test_taking_images_spreads_them():
    data = Dataset("d", np.arange(20.0).reshape(10, 2), np.arange(10), np.zeros((1, 2)))
    assert data.take(3).labels.tolist() == [0, 3, 6] and len(data.take(None)) == len(data.take(99)) == 10
    with pytest.raises(DataError, match="got 0"):
        data.take(0)


def test_labels_must_match():
    with pytest.raises(DataError, match="10 images and 9 labels"):
        Dataset("d", np.zeros((10, 2)), np.arange(9), np.zeros((1, 2)))


def test_drawing_depends_on_the_seed_alone():
    assert draw(100, 5, seed=3).tolist() == sorted(shuffled(range(100), seed=3)[:5])
    assert draw(3, 5, seed=0).tolist() == [0, 1, 2]


def test_no_images():
    with pytest.raises(DataError, match="got none"):
        LazyImages(lambda i: np.zeros(3, np.float32), np.array([], np.int64))


def test_evaluation_reads_lazy_images_batch_by_batch():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
    x = np.random.default_rng(0).random((10, 4), dtype=np.float32)
    y = np.arange(10) % 3
    held = []

    class Counting(LazyImages):
        def __getitem__(self, key):
            part = super().__getitem__(key)
            held.append(len(part))
            return part

    net = convert(model, x)
    lazy = net.evaluate(Counting(lambda i: x[i], np.arange(10)), y, batch=4)
    assert held == [4, 4, 2]
    assert lazy == net.evaluate(x, y, batch=4)
