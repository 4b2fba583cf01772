"""Event kernels against the explicit synapse matrices, for messages of both signs, gathers and every map."""

from __future__ import annotations

import numpy as np
import pytest

from loihi_onespike.core.maps import Dense, Window
from loihi_onespike.core.maps.connectivity import synapse_matrix
from loihi_onespike.executors.lava.kernels import event_kernel, largest_sum, tap_table
from tests.support.choices import Seeded
from tests.support.lava_networks import OPS
from tests.support.random_ops import OPS as KINDS
from tests.support.random_ops import random_gather, random_op


@pytest.mark.parametrize("name", OPS)
@pytest.mark.parametrize("density", [0.0, 0.1, 1.0])
def test_equals_the_matrix(name: str, density: float) -> None:
    shape, op = OPS[name]
    rng = np.random.default_rng(0)
    spikes = (rng.choice([-127, -1, 1, 5], shape) * (rng.random(shape) < density)).astype(np.int8).ravel()
    expected = synapse_matrix(op, shape).astype(np.int64) @ spikes
    assert np.array_equal(event_kernel(op, shape)(spikes), expected)
    assert np.array_equal(event_kernel(op, shape, dtype=np.float64)(spikes), expected)


@pytest.mark.parametrize("seed", range(150))
def test_equals_the_matrix_on_random_maps_and_gathers(seed: int) -> None:
    choices = Seeded(seed)
    shape = tuple(choices.integer(1, 6) for _ in range(choices.integer(1, 3)))
    index = random_gather(choices, shape) if seed % 2 else None
    op = random_op(choices, shape if index is None else index.shape, KINDS)
    spikes = choices.generator().integers(-127, 128, int(np.prod(shape))).astype(np.int8)
    expected = synapse_matrix(op, shape, index).astype(np.int64) @ spikes
    assert np.array_equal(event_kernel(op, shape, index)(spikes), expected)


@pytest.mark.parametrize("name", OPS)
def test_largest_sum_is_an_upper_bound_and_tight_without_borders(name: str) -> None:
    shape, op = OPS[name]
    rows = abs(synapse_matrix(op, shape).astype(np.int64)).sum(axis=1)
    assert rows.max() <= largest_sum(op)
    if isinstance(op, Dense):
        assert rows.max() == largest_sum(op)


def test_tap_table_by_hand() -> None:
    # 4 places, kernel 2, stride 2, one place of padding in front: outputs see (-1, 0), (1, 2); place 3 feeds nothing.
    table = tap_table(Window((2,), (2,), ((1, 0),), (1,)), (4,))
    assert table.tolist() == [[-1, 1, -1, -1], [0, -1, 1, -1]]
