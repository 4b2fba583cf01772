"""What rows of weights see: their product with the weights is the map itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from loihi_onespike.conversion.calibration.row_inputs import RowInputs, row_inputs_of
from loihi_onespike.core.activations import RELU
from loihi_onespike.core.graphs.stage import Link, Stage
from loihi_onespike.core.maps import Conv, Dense, LinearMap, Window
from loihi_onespike.executors.tensors.tensor_maps import tensor_map

CHANCE = np.random.default_rng(5)

MAPS = {
    "plain": (Conv(CHANCE.normal(size=(5, 4, 3, 3)), Window((3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1))), (4, 6, 7)),
    "strided": (Conv(CHANCE.normal(size=(5, 4, 3, 2)), Window((3, 2), (2, 3), ((0, 1), (2, 0)), (1, 1))), (4, 8, 7)),
    "dilated": (Conv(CHANCE.normal(size=(2, 3, 2, 2)), Window((2, 2), (1, 1), ((0, 0), (1, 1)), (3, 2))), (3, 8, 6)),
    "grouped": (Conv(CHANCE.normal(size=(6, 2, 3, 3)), Window((3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1)), 3), (6, 5, 5)),
    "depthwise": (
        Conv(CHANCE.normal(size=(4, 1, 3, 3)), Window((3, 3), (2, 2), ((1, 1), (1, 1)), (1, 1)), 4),
        (4, 6, 6),
    ),
    "signal": (Conv(CHANCE.normal(size=(3, 2, 4)), Window((4,), (2,), ((1, 2),), (1,))), (2, 9)),
    "vector": (Dense(CHANCE.normal(size=(3, 7))), (7,)),
    "nodes": (Dense(CHANCE.normal(size=(3, 7))), (5, 7)),
}


def _stage(op: LinearMap, shape: tuple[int, ...], index: np.ndarray | None = None) -> Stage:
    link = Link("before", op, index, np.ones(()))
    return Stage("after", op.output_shape(shape), "relu", (link,), np.zeros(()), RELU, ())


@pytest.mark.parametrize("name", MAPS)
def test_rows_times_weights_are_the_map(name: str) -> None:
    op, shape = MAPS[name]
    x = torch.from_numpy(CHANCE.normal(size=(6, *shape))).float()
    rows = row_inputs_of(_stage(op, shape), {"before": x})[0]
    expected = rows.outputs(tensor_map(op, None, torch.float32)(x))
    weights = torch.from_numpy(op.weight).float().reshape(rows.groups, -1, rows.inputs.shape[2])
    found = torch.einsum("sgd,grd->sgr", rows.inputs, weights)
    assert torch.allclose(found, expected, atol=1e-4)


def test_a_gather_in_front_is_seen() -> None:
    op, index = Dense(CHANCE.normal(size=(2, 4))), np.array([3, -1, 0, 3], np.int32)
    x = torch.from_numpy(CHANCE.normal(size=(5, 4))).float()
    rows = row_inputs_of(_stage(op, (4,), index), {"before": x})[0]
    silent = torch.zeros(5)
    assert torch.equal(rows.inputs[:, 0], torch.stack([x[:, 3], silent, x[:, 0], x[:, 3]], dim=1))


def test_places_are_drawn_where_there_are_too_many() -> None:
    op, shape = MAPS["plain"]
    x = torch.from_numpy(CHANCE.normal(size=(6, *shape))).float()
    link = _stage(op, shape).links[0]
    one, same, other = (RowInputs.of(link, x, 50, seed) for seed in (0, 0, 1))
    assert len(one.inputs) == 50
    assert torch.equal(one.inputs, same.inputs)
    assert not torch.equal(one.inputs, other.inputs)


def test_moments_are_those_of_the_halves() -> None:
    op, shape = MAPS["vector"]
    x = torch.from_numpy(CHANCE.normal(size=(9, *shape))).float()
    rows = row_inputs_of(_stage(op, shape), {"before": x})[0]
    even, odd = x[::2].double().numpy(), x[1::2].double().numpy()
    for found, part in zip(rows.moments, (even, odd), strict=True):
        assert np.allclose(found[0], np.cov(part.T, bias=True) * len(part), atol=1e-4)


def test_links_without_rows_are_left_out() -> None:
    op, shape = MAPS["vector"]
    assert row_inputs_of(_stage(op, shape), {}) == {}
    single = Dense(np.ones((3, 1)))
    assert row_inputs_of(_stage(single, (1,)), {"before": torch.ones(4, 1)}) == {}
