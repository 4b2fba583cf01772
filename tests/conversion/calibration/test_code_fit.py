"""Fitted λ, first negative phases and levels: never worse than the paper's, nearly as good as theory allows."""

from __future__ import annotations

import numpy as np
import pytest

from loihi_onespike.conversion.calibration.code_fit import (
    FIRST_LEVEL,
    ActivationValues,
    Payload,
    code_of,
    companded_levels,
    fit_codebook,
    fit_population,
    fit_scales,
    middles,
    spaced,
)
from loihi_onespike.conversion.calibration.code_grid import CodeGrid, SortedValues
from loihi_onespike.core.codes import PhaseCode, best_base


def _rectified(seed: int = 0, channels: int = 4, n: int = 2000) -> np.ndarray:
    return np.maximum(np.random.default_rng(seed).standard_normal((channels, n)), 0)


def _values(given: np.ndarray, **options: bool) -> ActivationValues:
    return ActivationValues(SortedValues(given), np.maximum(np.abs(given).max(axis=1), 1e-9), **options)


@pytest.mark.parametrize("timesteps", [1, 2, 5, 16, 64, 256])
def test_companded_levels_fall(timesteps: int) -> None:
    for curve in (0.1, 3.0, 8.0):
        levels = companded_levels(timesteps, curve)
        assert levels[0] == pytest.approx(0.8)
        assert np.all(np.diff(levels) < 0)
        assert levels[-1] > 0


def test_a_small_curve_spaces_the_levels_evenly() -> None:
    assert np.allclose(np.diff(companded_levels(8, 1e-4)), -0.1, atol=1e-6)


@pytest.mark.parametrize("timesteps", [4, 8, 16])
def test_a_codebook_beats_the_best_base(timesteps: int) -> None:
    values = _values(_rectified())
    code = PhaseCode(best_base(timesteps), timesteps)
    paper = values.sorted.errors(CodeGrid.of_code(code), values.largest[:, None]).mean()
    fitted = fit_codebook([values], timesteps)
    error = fit_population(values, fitted.levels(), fitted.thresholds()).error
    assert error < 0.7 * paper


def test_sixteen_levels_come_near_the_best_quantizer_of_a_normal_distribution() -> None:
    """33 levels over both signs have an error of 3e-3 of the variance (Max 1960, Table I: 0.00345 for 32)."""
    values = _values(_rectified(n=4000))
    fitted = fit_codebook([values], 16)
    error = fit_population(values, fitted.levels(), fitted.thresholds()).error
    assert error < 1.3 * 0.00345 / 2  # half of the values are zero and carried exactly


def test_two_sides_halve_the_error_where_nothing_is_silent() -> None:
    given = np.abs(3 + np.random.default_rng(1).standard_normal((4, 2000)))
    one = fit_population(_values(given), companded_levels(8, 3), middles(companded_levels(8, 3)))
    two = fit_population(_values(given, two_sided=True), companded_levels(8, 3), middles(companded_levels(8, 3)))
    assert one.first_negative_word is None
    assert two.first_negative_word is not None
    assert two.error < 0.5 * one.error


def test_twice_the_spikes_are_not_spent_on_noise_that_does_not_matter() -> None:
    levels = companded_levels(96, 4)
    assert fit_population(_values(_rectified(), two_sided=True), levels, middles(levels)).first_negative_word is None


def test_a_silent_channel_keeps_its_scale() -> None:
    given = _rectified()
    given[1] = 0
    values = ActivationValues(SortedValues(given), np.array([3.0, 2.5, 3.0, 3.0]))
    scales, _ = fit_scales(values, CodeGrid.of_code(PhaseCode(best_base(16), 16)))
    assert scales[1] == pytest.approx(2.5, rel=0.07)  # the factor next to 1


def test_few_samples_share_one_factor() -> None:
    values = _values(_rectified(n=40))
    scales, _ = fit_scales(values, CodeGrid.of_code(PhaseCode(best_base(16), 16)))
    assert np.ptp(scales / values.largest) < 1e-12


@pytest.mark.parametrize(("bits", "largest"), [(1, 3), (1, 15), (2, 15), (3, 15), (2, 127), (4, 127)])
def test_levels_that_lie_close_are_moved_apart_until_messages_can_tell_them(bits: int, largest: int) -> None:
    payload = Payload(bits, largest)
    close = np.linspace(1.0, 0.97, 16 * 2**bits)
    levels = spaced(close, payload)
    assert levels[0] == FIRST_LEVEL and payload.closest_step > 1
    np.testing.assert_allclose(levels[:-1] / levels[1:], payload.closest_step)
    sent = code_of(levels, 16, payload).levels()
    np.testing.assert_allclose(sent / sent[0], levels / levels[0], rtol=0.06)
    alike = _values(np.full((1, 400), 2.0) + np.linspace(0, 1e-3, 400))
    assert fit_codebook([alike], 16, payload=payload).payload_bits == bits


def test_levels_of_populations_that_are_silent_are_still_a_code() -> None:
    assert fit_codebook([_values(np.zeros((2, 50)))], 8).timesteps == 8
