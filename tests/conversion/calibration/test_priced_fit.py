"""Codes in which spikes have a price."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from loihi_onespike.conversion.calibration.code_fit import ActivationValues, CodeFit, Payload, companded_levels, middles
from loihi_onespike.conversion.calibration.code_grid import SortedValues
from loihi_onespike.conversion.calibration.priced_fit import (
    Candidates,
    OutputCost,
    fit_priced,
    fit_priced_codebook,
    grid_of,
)

LEVELS = companded_levels(16, 3.0)


def _values(two_sided: bool = True) -> ActivationValues:
    given = np.maximum(np.random.default_rng(0).standard_normal((4, 2000)) + 0.2, 0)
    return ActivationValues(SortedValues(given), given.max(axis=1), two_sided=two_sided)


def _cost(price: float) -> OutputCost:
    return OutputCost(np.array([1.0, 1.0, 0.01, 1.0]), price)


def test_a_grid_with_silence_by_hand() -> None:
    levels = np.array([0.8, 0.4, 0.2])
    grid = grid_of(levels, CodeFit(np.ones(1), None, 0.0, 0.35, 0.1))
    assert np.allclose(grid.thresholds, [0.35, 0.35, 0.6]) and grid.offset == 0.1


def test_a_higher_price_gives_fewer_spikes_and_more_error() -> None:
    fits = [fit_priced(_values(), _cost(price), LEVELS) for price in (0.0, 0.01, 0.1, 1.0)]
    spikes, errors = [f.spikes for f in fits], [f.error for f in fits]
    assert spikes == sorted(spikes, reverse=True) and errors == sorted(errors)
    assert fits[0].code.first_negative_word is not None and spikes[0] > 0.9  # free spikes: two-sided
    assert spikes[-1] < 0.35


def test_error_and_spikes_are_those_of_the_code() -> None:
    values, cost = _values(False), _cost(0.05)
    fit = fit_priced(values, cost, LEVELS)
    grid = grid_of(LEVELS, fit.code)
    error = spikes = 0.0
    for row, scale, weight in zip(values.sorted.values, fit.code.scales, cost.weights, strict=True):
        place = np.searchsorted(grid.thresholds, row / scale - grid.offset, side="right")
        error += weight * np.mean((row - scale * (grid.entries[place] + grid.offset)) ** 2)
        spikes += np.mean(grid.words[place] != 0) / 4
    assert fit.error == pytest.approx(error) and fit.spikes == pytest.approx(spikes)


def test_a_channel_that_matters_little_gets_a_larger_scale() -> None:
    values = _values(False)
    scales = fit_priced(values, _cost(0.05), LEVELS).code.scales / values.largest
    assert scales[2] > 1.2 * scales[[0, 1, 3]].max()


@pytest.mark.parametrize("payload", [None, Payload(2, 127)])
def test_fitted_levels_cost_less_than_the_curves_they_start_from(payload: Payload | None) -> None:
    values, cost = _values(), _cost(0.02)
    code = fit_priced_codebook([(values, cost)], 4, payload)
    levels = code.levels() * (0.8 / code.levels()[0])
    fitted = fit_priced(values, cost, levels).cost(cost.price)
    curves = [fit_priced(values, cost, companded_levels(len(levels), c)).cost(cost.price) for c in (2.5, 4.5)]
    assert fitted < min(curves) * 1.001
    assert np.all(np.diff(middles(levels)) < 0)


def _two_kinds() -> ActivationValues:
    """Two channels that are mostly 0, and two that hardly ever are."""
    chance = np.random.default_rng(1)
    quiet = np.maximum(chance.standard_normal((2, 2000)) - 1, 0)
    busy = np.maximum(chance.standard_normal((2, 2000)) + 3, 0)
    given = np.concatenate([quiet, busy])
    return ActivationValues(SortedValues(given), given.max(axis=1), two_sided=True)


EQUAL = OutputCost(np.ones(4), 0.2)


def test_channels_of_a_population_choose_their_side() -> None:
    values = _two_kinds()
    fit = fit_priced(values, EQUAL, LEVELS)
    assert fit.code.one_sided is not None and fit.code.one_sided.tolist() == [True, True, False, False]
    middle = LEVELS[fit.code.first_negative_word - 1]  # type: ignore[operator]
    assert fit.code.offsets(LEVELS).tolist() == [fit.code.offset, fit.code.offset, middle, middle]
    one = fit_priced(replace(values, two_sided=False), EQUAL, LEVELS)
    halves = [
        fit_priced(values.of_channels(np.array(c)), OutputCost(np.ones(2), 0.1), LEVELS) for c in ([0, 1], [2, 3])
    ]
    assert [half.code.one_sided for half in halves] == [None, None]  # all channels of a half take the same side
    assert [half.code.first_negative_word is None for half in halves] == [True, False]
    apart = sum(half.cost(0.1) for half in halves)
    assert apart <= fit.cost(EQUAL.price) < 0.9 * one.cost(EQUAL.price)
    assert fit.cost(EQUAL.price) == pytest.approx(fit.costs.sum()) and fit.cost(EQUAL.price) < 1.05 * apart


def test_error_and_spikes_of_channels_with_different_sides() -> None:
    values = _two_kinds()
    fit = fit_priced(values, EQUAL, LEVELS)
    assert fit.code.one_sided is not None
    error = spikes = 0.0
    for row, scale, one_sided in zip(values.sorted.values, fit.code.scales, fit.code.one_sided, strict=True):
        side = replace(fit.code, one_sided=None)
        grid = grid_of(LEVELS, replace(side, first_negative_word=None) if one_sided else side)
        place = np.searchsorted(grid.thresholds, row / scale - grid.offset, side="right")
        error += np.mean((row - scale * (grid.entries[place] + grid.offset)) ** 2)
        spikes += np.mean(grid.words[place] != 0) / 4
    assert fit.error == pytest.approx(error) and fit.spikes == pytest.approx(spikes)


def test_few_values_a_common_scale_or_a_product_leave_all_channels_one_side() -> None:
    values = _two_kinds()
    for given in (values.of_samples(200), replace(values, common=True), replace(values, same_side=True)):
        assert fit_priced(given, EQUAL, LEVELS).code.one_sided is None


def test_levels_are_fitted_to_channels_with_different_sides() -> None:
    values = _two_kinds()
    levels = fit_priced_codebook([(values, EQUAL)], 8).levels()
    fitted = fit_priced(values, EQUAL, levels * (0.8 / levels[0]))
    curves = [fit_priced(values, EQUAL, companded_levels(8, curve)).cost(EQUAL.price) for curve in (2.5, 4.5)]
    assert fitted.code.one_sided is not None and fitted.cost(EQUAL.price) < min(curves) * 1.001


@pytest.mark.parametrize("values", [_values(), _two_kinds(), _two_kinds().of_samples(200)])
def test_candidates_are_what_each_code_leaves_and_serve_every_price(values: ActivationValues) -> None:
    given = Candidates.of(values, LEVELS)
    scales = values.largest[:, None] * given.factors
    for k, code in enumerate(given.codes):
        errors, spikes = values.sorted.errors_and_spikes([grid_of(LEVELS, code)], scales)
        assert np.array_equal(given.errors[k], errors[0]) and np.array_equal(given.spikes[k], spikes[0])
    for price in (0.0, 0.02, 0.2):
        again, fit = (fit_priced(values, _cost(price), LEVELS, m) for m in (lambda v, x: given, Candidates.of))
        assert (again.error, again.spikes) == (fit.error, fit.spikes)
        assert np.array_equal(again.code.scales, fit.code.scales) and np.array_equal(again.costs, fit.costs)


def test_the_best_of_all_candidates_and_scales_is_taken() -> None:
    values, cost = _values(False), _cost(0.05)
    given = Candidates.of(values, LEVELS)
    each = cost.weights[:, None] * given.errors + cost.price / 4 * given.spikes
    assert fit_priced(values, cost, LEVELS).cost(cost.price) <= each.min(axis=2).sum(axis=1).min()
