"""Weights as even integers: by hand for two layers of a few neurons."""

from __future__ import annotations

import numpy as np
import pytest

from loihi_onespike.conversion.quantization.integer_weights import integer_links, largest_where_shared, nearest
from loihi_onespike.conversion.quantization.rounded_stage import rounded_stage
from loihi_onespike.core.activations import RELU
from loihi_onespike.core.graphs.stage import Link, Stage
from loihi_onespike.core.maps import Conv, Dense, Pool, Window
from loihi_onespike.errors import ConfigurationError, GraphError
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


def test_a_weight_that_is_no_number_is_refused() -> None:
    def broken(link: int, weights: np.ndarray, unit: np.ndarray) -> np.ndarray:
        return np.where(weights > 0, np.nan, weights)

    with pytest.raises(GraphError, match=r"^hidden: weights: must be numbers, got NaN; check"):
        integer_links(_stage("hidden"), [(np.ones(()), (2,))], 8, ZERO, rounding=broken)


def test_a_rounding_is_told_what_1_is_worth() -> None:
    """Weights of `signed` under λ of 1, 4 and 2: rows of 127 steps with a largest amplitude of 8 and 4."""
    told = []

    def rounding(link: int, weights: np.ndarray, unit: np.ndarray) -> np.ndarray:
        told.append((link, weights * unit))
        return nearest(link, weights, unit)

    integer_links(_stage("signed"), [(np.array([1.0, 4.0, 2.0]), (3,))], 8, ZERO, rounding=rounding)
    ((link, real),) = told
    assert link == 0
    np.testing.assert_allclose(real, [[1, 8, 0], [0, -4, 2]])


ONE = np.ones(())
READ: tuple[np.ndarray, tuple[int, ...]] = (ONE, (2,))


def _of(shape: tuple[int, ...], *links: Link) -> Stage:
    return Stage("s", shape, "relu", links, ZERO, RELU, tuple(range(1, len(shape))))


def _shortcut(large: float, small: float = 1.0) -> Stage:
    """Two neurons that read two layers, the second one with larger weights; a third row has no weights at all."""
    rows = np.array([[1.0, 0.5], [0.0, 1.0], [0.0, 0.0]])
    return _of((3,), Link("a", Dense(small * rows), None, ONE), Link("b", Dense(small * large * rows), None, ONE))


@pytest.mark.parametrize("small", [1.0, 1e-3])
@pytest.mark.parametrize(("large", "exponent"), [(1.0, 0), (1.9, 0), (2.0, 1), (9.0, 3), (2.0**10, 7)])
def test_links_with_larger_weights_have_an_exponent(large: float, exponent: int, small: float) -> None:
    """floor(log2 of the ratio), 7 at most; the unit is that of the larger one, here in units of 127 steps, halved."""
    stage = _shortcut(large, small)
    (a, b), unit = integer_links(stage, [READ, READ], 8, ZERO)
    assert (a[1], b[1]) == (0, exponent)
    step = max(small, small * large / 2**exponent) / 127
    np.testing.assert_allclose(np.broadcast_to(unit, (3,)), step / 2)
    for (op, exp), weight in ((a, small), (b, small * large)):
        assert op.weight[0, 0] == 2 * np.rint(weight / (step * 2**exp)) and not op.weight[2].any()


def test_neurons_without_weights_do_not_count_for_the_exponents() -> None:
    """Three rows of five have no weights, so that a median over all of them would be 0."""
    rows = np.zeros((5, 2))
    rows[:2] = [[1.0, 0.5], [0.0, 1.0]]
    stage = _of((5,), Link("a", Dense(rows), None, ONE), Link("b", Dense(9 * rows), None, ONE))
    links, _ = integer_links(stage, [READ, READ], 8, ZERO)
    assert [exponent for _, exponent in links] == [0, 3]


def test_fewer_exponents_when_the_potential_is_too_wide() -> None:
    (_, b), unit = integer_links(_shortcut(9.0), [READ, READ], 8, ZERO, most_exp=1)
    assert b[1] == 1
    np.testing.assert_allclose(np.broadcast_to(unit, (3,)), 9 / 2 / 254)


def test_rounded_weights_keep_their_grid() -> None:
    """They become the same integers again, in the same unit, and are what the integers stand for."""
    graph = two_layers()
    both = _of((2,), Link("input", Dense(np.array([[1.0, 0.3], [0.2, 1.0]])), None, ONE),
               Link("hidden", Dense(np.array([[9.0, 2.2, 0.0], [0.1, -9.0, 4.0]])), None, ONE))  # fmt: skip
    scales: list[tuple[np.ndarray, tuple[int, ...]]] = [READ, (np.full(1, 2.0), (3,))]
    before, unit = integer_links(both, scales, 8, ZERO)
    rounded = rounded_stage(both, graph, 8)
    again, same = integer_links(rounded, scales, 8, ZERO)
    assert [exp for _, exp in again] == [exp for _, exp in before] == [0, 4]  # 18 in units of λ beside 1
    np.testing.assert_allclose(same, unit)
    for (op, exp), (old, _), link, scale in zip(again, before, rounded.links, (1.0, 2.0), strict=True):
        assert np.array_equal(op.weight, old.weight)
        real = link.op.weight * np.broadcast_to(link.scale, (2,))[:, None]
        np.testing.assert_allclose(real, old.weight * np.broadcast_to(unit, (2,))[:, None] * 2.0**exp / scale)


def test_one_pooling_window_needs_one_step() -> None:
    pool = Pool(Window((2,), (2,), ((0, 0),), (1,)), np.array(0.5))
    ((op, exponent),), unit = integer_links(_of((1, 2), Link("a", pool, None, ONE)), [(ONE, (1, 4))], 8, ZERO)
    assert (op.weight.tolist(), exponent) == (2, 0)
    np.testing.assert_allclose(np.broadcast_to(unit, (1, 2)), 0.25)


def _pointwise(rank: int, weight: float) -> Conv:
    window = Window((1,) * rank, (1,) * rank, ((0, 0),) * rank, (1,) * rank)
    return Conv(np.full((1, 1, *(1,) * rank), weight), window)


@pytest.mark.parametrize("rank", [1, 2])
def test_places_that_share_weights_share_the_coarser_unit(rank: int) -> None:
    shape = (1, *(2,) * rank)
    finest = np.linspace(1, 2, 2**rank).reshape(shape)
    stage = _of(shape, Link("a", _pointwise(rank, 100.0), None, ONE))
    ((op, _),), unit = integer_links(stage, [(ONE, shape)], 8, finest)
    np.testing.assert_allclose(np.broadcast_to(unit, shape), 2.0)
    assert op.weight.item() == 50


def test_two_groups_of_synapses_whose_scales_differ_between_places() -> None:
    """One group may have a scale per place, since every place has its own unit; a second one then does not fit."""
    uneven = Link("a", _pointwise(1, 1.0), None, np.array([[0.25, 0.5]]))
    ((op, _),), unit = integer_links(_of((1, 2), uneven), [(ONE, (1, 2))], 8, ZERO)
    assert op.weight.item() == 254
    np.testing.assert_allclose(np.broadcast_to(unit, (1, 2)), [[0.25 / 254, 0.5 / 254]])
    even = Link("a", _pointwise(1, 0.4), None, ONE)
    with pytest.raises(GraphError, match="s: several synapse groups whose scales differ between places"):
        integer_links(_of((1, 2), uneven, even), [(ONE, (1, 2))] * 2, 8, ZERO)


def test_weight_bits_out_of_range() -> None:
    with pytest.raises(ConfigurationError, match=r"weight_bits: must be an integer in \[2, 8\], got 9"):
        integer_links(_stage("hidden"), [(np.ones(()), (2,))], 9, ZERO)


def test_helpers() -> None:
    assert nearest(0, np.array([0.4, -1.6]), ONE).tolist() == [0, -2]
    values = np.array([[1.0, 5.0], [7.0, 2.0]])
    assert largest_where_shared(values, (2, 1)).tolist() == [[5.0], [7.0]]
    assert largest_where_shared(values, ()).tolist() == [[7.0]]


@pytest.mark.parametrize(
    "op",
    [Pool(Window((2,), (2,), ((0, 0),), (1,)), ONE), Conv(np.ones((1, 1, 2)), Window((2,), (2,), ((0, 0),), (1,)), 1)],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_equal_weights_take_one_step_and_keep_their_sign(op: Pool | Conv, sign: int) -> None:
    stage = _of((1, 2), Link("a", op, None, np.array(sign * 0.25)))
    ((integer, exponent),), unit = integer_links(stage, [(ONE, (1, 4))], 8, ZERO)
    assert exponent == 0 and np.all(integer.weight_values == 2 * sign)
    assert float(np.max(unit)) == 0.125


def test_two_groups_whose_scales_differ_by_little_in_large_weights() -> None:
    """Weights of 100 make the factors on them 1.27 and 0.635: the difference counts relative to them."""
    uneven, even = (Link("a", _pointwise(1, 100.0), None, scale) for scale in (np.array([[0.25, 0.5]]), ONE))
    with pytest.raises(GraphError, match="scales differ between places of one channel"):
        integer_links(_of((1, 2), uneven, even), [(ONE, (1, 2)), (ONE, (1, 2))], 8, ZERO)
