"""Real inputs to code words, and potentials of the readout to the values of the network."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from loihi_onespike.core.codes import Base, BinaryCode, PhaseCode
from loihi_onespike.core.encoding import FINISH, decode_readout, encode_input, finish_output
from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.core.graphs.network import InputPopulation, Membrane, Readout
from loihi_onespike.errors import ConfigurationError


def test_binary_input_is_rounded_and_saturated() -> None:
    population = InputPopulation("input", (2,), BinaryCode(3), np.array([8.0, 16.0]), np.array([0.0, -4.0]))
    codes = encode_input(population, np.array([[2.4, -4.0], [-1.0, 100.0]]))
    assert codes.tolist() == [[2, 0], [0, 7]]


def test_single_spike_input_is_a_phase() -> None:
    population = InputPopulation("input", (3,), PhaseCode(Base.nearest(2.0), 3), np.array(2.0), np.array(1.0))
    assert encode_input(population, np.array([[2.0, 1.5, 1.0]])).tolist() == [[1, 2, 0]]


def test_sparse_input_stays_sparse_where_zero_is_silent() -> None:
    sample = SparseSample(sp.csr_matrix(np.array([[0.0, 3.0], [5.0, 0.0]])))
    population = InputPopulation("input", sample.shape[1:], BinaryCode(3), np.array(8.0), np.array(0.0))
    codes = encode_input(population, sample)
    assert isinstance(codes, SparseSample) and codes.matrix.toarray().tolist() == [[0, 3], [5, 0]]


def test_inputs_of_another_shape_are_refused() -> None:
    population = InputPopulation("input", (2,), BinaryCode(3), np.ones(()), np.zeros(()))
    with pytest.raises(ConfigurationError, match=r"input: must have shape \(N, 2\), got \(1, 3\)"):
        encode_input(population, np.zeros((1, 3)))


def test_readout_in_the_units_and_order_of_the_network() -> None:
    membrane = Membrane((2 * 4096,) * 2, 0, np.zeros((), np.int64), np.array(0.5))
    readout = Readout("readout", (2,), membrane, "relu", np.array([1, 0], np.int32))
    assert decode_readout(readout, np.array([[8, -16]])).tolist() == [[0.0, 1.0]]


def test_places_of_order_minus_one_are_zero() -> None:
    assert finish_output(np.array([[3.0]]), np.array([-1, 0], np.int32), "identity").tolist() == [[0.0, 3.0]]


@pytest.mark.parametrize("finish", sorted(FINISH))
def test_last_operations_keep_the_shape(finish: str) -> None:
    values = np.random.default_rng(0).normal(size=(2, 3, 2, 3, 4))
    out = FINISH[finish](values)
    assert out.shape == values.shape
    if "softmax" in finish:
        axis = {"2": 2, "3": 3, "last": 4}.get(finish.rsplit("_")[-1], 1)
        np.testing.assert_allclose((np.exp(out) if "log" in finish else out).sum(axis=axis), 1.0)
