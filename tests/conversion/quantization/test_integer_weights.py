"""Weights as even integers: by hand for two layers of a few neurons."""

from __future__ import annotations

import numpy as np
import pytest

from loihi_onespike.conversion.quantization.integer_weights import integer_links, largest_where_shared, nearest
from loihi_onespike.core.graphs.stage import Stage
from loihi_onespike.errors import ConfigurationError
from tests.support.stage_graphs import two_layers

ZERO = np.zeros(())


def _stage(name: str) -> Stage:
    stage = two_layers().by_name[name]
    assert isinstance(stage, Stage)
    return stage


def test_the_largest_weight_of_a_row_becomes_254() -> None:
    (first,), unit = integer_links(_stage("hidden"), [(np.ones(()), (2,))], 8, ZERO)
    assert first[1] == 0 and first[0].weight.tolist() == [[254, 0], [0, 254], [254, -254]]
    np.testing.assert_allclose(np.broadcast_to(unit, (3,)), 1 / 254)


def test_scales_of_the_inputs_count_as_part_of_the_weights() -> None:
    (second,), unit = integer_links(_stage("signed"), [(np.array([1.0, 4.0, 2.0]), (3,))], 8, ZERO)
    assert second[0].weight[0].tolist() == [32, 254, 0]  # (1, 8, 0) / 8 of 127, doubled
    assert second[0].weight[1].tolist() == [0, -254, 128]  # (0, -4, 2) / 4: 63.5 to even
    np.testing.assert_allclose(np.broadcast_to(unit, (2,)), [8 / 254, 4 / 254])


def test_a_coarser_unit_costs_bits() -> None:
    (first,), unit = integer_links(_stage("hidden"), [(np.ones(()), (2,))], 8, np.full(1, 1 / 2))
    assert first[0].weight.tolist() == [[2, 0], [0, 2], [2, -2]]
    np.testing.assert_allclose(np.broadcast_to(unit, (3,)), 1 / 2)


def test_weight_bits_out_of_range() -> None:
    with pytest.raises(ConfigurationError, match=r"weight_bits: must be an integer in \[2, 8\], got 9"):
        integer_links(_stage("hidden"), [(np.ones(()), (2,))], 9, ZERO)


def test_helpers() -> None:
    assert nearest(0, np.array([0.4, -1.6])).tolist() == [0, -2]
    values = np.array([[1.0, 5.0], [7.0, 2.0]])
    assert largest_where_shared(values, (2, 1)).tolist() == [[5.0], [7.0]]
    assert largest_where_shared(values, ()).tolist() == [[7.0]]
