"""Traces as arrays, files and tables."""

import sys

import numpy as np
import pytest

from loihi_onespike.core.trace import LayerTrace, Trace
from loihi_onespike.errors import ConfigurationError

WORDS = np.array([[[0, 3], [-2, 0]], [[0, 0], [0, 1]]], np.int8)
V = np.arange(8).reshape(2, 2, 2)
TRACE = Trace(
    {
        "input": LayerTrace.of_input(np.array([[0, 5], [7, 0]])),
        "relu": LayerTrace(WORDS, V),
        "out": LayerTrace(None, V),
    },
    np.ones((2, 3)),
)


def test_arrays_and_file(tmp_path):
    arrays = TRACE.to_arrays()
    assert list(arrays) == ["input.words", "relu.words", "relu.v", "out.v", "output"]
    with np.load(TRACE.to_npz(tmp_path / "t.npz")) as found:
        assert set(found) == set(arrays)
        for name, values in arrays.items():
            np.testing.assert_array_equal(found[name], values)


def test_table():
    pandas = pytest.importorskip("pandas")
    table = TRACE.to_pandas()
    spikes = table[table["layer"] == "relu"]
    assert spikes[["image", "neuron", "word", "v"]].values.tolist() == [[0, 1, 3, 1], [0, 2, -2, 2], [1, 3, 1, 7]]
    inputs = table[table["layer"] == "input"]
    assert inputs["word"].tolist() == [5, 7] and inputs["v"].isna().all() and isinstance(table, pandas.DataFrame)


def test_without_pandas(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ConfigurationError, match="pip install pandas"):
        TRACE.to_pandas()
