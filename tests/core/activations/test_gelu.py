"""GELU at points from tables, and its two forms beside each other."""

from __future__ import annotations

import numpy as np

from loihi_onespike.core.activations.gelu import Gelu

Z = np.linspace(-6, 6, 241)


def test_values() -> None:
    """Φ(1) = 0.841344746068543 and Φ(-1) = 0.158655253931457."""
    np.testing.assert_allclose(Gelu().value(np.array([1.0, -1.0])), [0.841344746068543, -0.158655253931457], rtol=1e-14)


def test_the_approximation_is_near_the_exact_form() -> None:
    difference = np.abs(Gelu("tanh").value(Z) - Gelu().value(Z)).max()
    assert 1e-5 < difference < 5e-4


def test_minima() -> None:
    for form in (Gelu(), Gelu("tanh")):
        low = form.value(np.array(form.lowest_at))
        assert np.all(form.value(np.array([form.lowest_at - 1e-4, form.lowest_at + 1e-4])) > low)
