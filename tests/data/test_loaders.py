"""Loaders in the forms of common libraries."""

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

import loihi_onespike as los
from loihi_onespike.data.batches import calibration_batches
from loihi_onespike.data.loaders import is_loader, joined_inputs, labelled_arrays
from loihi_onespike.errors import CalibrationError, ConfigurationError

X = np.random.default_rng(0).random((10, 1, 4, 4)).astype(np.float32)
Y = np.arange(10) % 3


class Rows:
    """As a data set of Hugging Face: rows, which `iter` gives a few at a time as lists."""

    column_names = ("pixel_values", "label")

    def __iter__(self):
        raise AssertionError("single rows are no batches")

    def iter(self, batch_size):
        for first in range(0, 10, 4):
            rows = slice(first, first + 4)
            yield {"pixel_values": [torch.from_numpy(x) for x in X[rows]], "label": Y[rows].tolist()}


def pairs():
    for first in range(0, 10, 4):
        yield torch.from_numpy(X[first : first + 4]), torch.from_numpy(Y[first : first + 4])


def mappings():
    for x, y in pairs():
        yield {"image": x.numpy(), "labels": y, "id": 3}


LOADERS = {
    "torch": lambda: DataLoader(TensorDataset(torch.from_numpy(X), torch.from_numpy(Y)), batch_size=4),
    "generator of pairs": pairs,
    "generator of mappings": mappings,
    "rows": Rows,
}


@pytest.mark.parametrize("make", LOADERS.values(), ids=LOADERS)
def test_inputs_and_labels(make):
    assert is_loader(make())
    x, y = labelled_arrays("x", make())
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(y, Y)
    np.testing.assert_array_equal(joined_inputs("x", make()), X)
    np.testing.assert_array_equal(np.concatenate(calibration_batches(make())), X)


def test_what_is_no_loader():
    assert not any(map(is_loader, (X, torch.from_numpy(X), X.tolist(), {"x": X}, "x", range(3), 3)))


def test_a_network_takes_loaders():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 3), torch.nn.ReLU(), torch.nn.Linear(3, 3))
    net = los.convert(model, Rows(), method="paper")
    assert (net.predict(mappings()) == net.predict(X)).all()
    assert net.evaluate(pairs()) == net.evaluate(X, Y)
    with pytest.raises(ConfigurationError, match=r"y: must be integer class numbers .*, got None"):
        net.evaluate(X)


def test_batches_that_say_too_little():
    with pytest.raises(ConfigurationError, match=r"must have one of labels, label, .*, got x, z; rename"):
        labelled_arrays("x", iter([{"x": X, "z": Y}]))
    with pytest.raises(CalibrationError, match=r"must have one of pixel_values, .*, got a, b; rename"):
        calibration_batches(iter([{"a": X, "b": X}]))
    with pytest.raises(ConfigurationError, match=r"must be pairs .inputs, labels. or mappings with both, got Tensor"):
        labelled_arrays("x", iter([torch.from_numpy(X)]))
    with pytest.raises(ConfigurationError, match="at least one batch, got none"):
        joined_inputs("x", iter([]))
