"""Synapse matrices and fan-out against torch's own operators."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from loihi_onespike.core.maps import Conv, Dense, Diagonal, LinearMap, Pool, Shape, Sparse, Window
from loihi_onespike.core.maps.connectivity import fan_out, synapse_matrix
from loihi_onespike.executors.tensors.tensor_maps import tensor_map

rng = np.random.default_rng(5)


def integers(*shape: int) -> np.ndarray:
    return rng.integers(-9, 10, shape).astype(np.int64)


def window(kernel: Shape, stride: Shape, padding: tuple[tuple[int, int], ...], dilation: Shape) -> Window:
    return Window(kernel, stride, padding, dilation)


CASES: list[tuple[str, LinearMap, Shape]] = [
    ("conv", Conv(integers(4, 3, 3, 2), window((3, 2), (2, 1), ((1, 1), (0, 0)), (1, 1))), (3, 7, 5)),
    ("conv asymmetric", Conv(integers(2, 3, 3, 3), window((3, 3), (2, 3), ((0, 2), (3, 1)), (2, 1))), (3, 9, 8)),
    ("conv groups", Conv(integers(6, 2, 2, 2), window((2, 2), (1, 1), ((1, 0), (0, 1)), (1, 2)), 3), (6, 5, 5)),
    ("conv depthwise", Conv(integers(4, 1, 3, 3), Window.plain((3, 3)), 4), (4, 5, 4)),
    ("conv 1d", Conv(integers(3, 2, 4), window((4,), (3,), ((2, 1),), (2,))), (2, 13)),
    ("dense", Dense(integers(5, 7)), (7,)),
    ("dense per node", Dense(integers(5, 3)), (4, 3)),
    ("diagonal", Diagonal(integers(3, 1, 1)), (3, 4, 2)),
    ("pool", Pool(window((3, 2), (2, 2), ((1, 1), (0, 1)), (1, 2)), np.array(2)), (3, 7, 6)),
    ("sparse", Sparse(sp.random(6, 4, 0.4, "csr", random_state=1).astype(bool).astype(np.int64)), (4, 3)),
]
INDEXED = [(name, op, shape) for name, op, shape in CASES if len(shape) == 3]


@pytest.mark.parametrize(("name", "op", "shape"), CASES, ids=[c[0] for c in CASES])
def test_matrix_and_tensor_map_agree(name: str, op: LinearMap, shape: Shape) -> None:
    x = integers(3, *shape)
    by_torch = tensor_map(op, None, torch.float64)(torch.from_numpy(x).double()).numpy()
    by_matrix = (synapse_matrix(op, shape) @ x.reshape(3, -1).T).T
    assert by_torch.shape[1:] == op.output_shape(shape)
    assert np.array_equal(by_matrix.reshape(by_torch.shape), by_torch)


@pytest.mark.parametrize(("name", "op", "shape"), INDEXED, ids=[c[0] for c in INDEXED])
def test_a_gather_with_gaps_reads_nothing_there(name: str, op: LinearMap, shape: Shape) -> None:
    pre_shape = (shape[0] + 1, *shape[1:])
    index = rng.integers(-1, prod(pre_shape), shape).astype(np.int32)
    x = integers(2, *pre_shape)
    seen = np.concatenate([x.reshape(2, -1), np.zeros((2, 1))], axis=1)[:, index]
    expected = tensor_map(op, None, torch.float64)(torch.from_numpy(seen)).numpy()
    assert np.array_equal(tensor_map(op, index, torch.float64)(torch.from_numpy(x).double()).numpy(), expected)
    matrix = synapse_matrix(op, pre_shape, index)
    assert np.array_equal((matrix @ x.reshape(2, -1).T).T.reshape(expected.shape), expected)


@pytest.mark.parametrize(("name", "op", "shape"), CASES, ids=[c[0] for c in CASES])
def test_fan_out_counts_the_stored_synapses(name: str, op: LinearMap, shape: Shape) -> None:
    ones = type(op)(**{**vars(op), "weight": abs(op.weight) * 0 + 1} if not isinstance(op, Sparse) else vars(op))
    counted = np.asarray((synapse_matrix(ones, shape) != 0).sum(axis=0)).reshape(shape)
    assert np.array_equal(fan_out(op, shape), counted)


@pytest.mark.parametrize(("name", "op", "shape"), INDEXED, ids=[c[0] for c in INDEXED])
def test_fan_out_through_a_gather(name: str, op: LinearMap, shape: Shape) -> None:
    index = rng.integers(-1, prod(shape), shape).astype(np.int32)
    ones = type(op)(**{**vars(op), "weight": abs(op.weight) * 0 + 1})
    counted = np.asarray(synapse_matrix(ones, shape, index).sum(axis=0)).reshape(shape)
    assert np.array_equal(fan_out(op, shape, index), counted)


@pytest.mark.parametrize(("name", "op", "shape"), CASES, ids=[c[0] for c in CASES])
def test_row_magnitude_bounds_the_matrix(name: str, op: LinearMap, shape: Shape) -> None:
    largest = abs(synapse_matrix(op, shape)).sum(axis=1).max()
    assert op.row_magnitude >= largest
