"""The choice of a base by the error of Eq. 5."""

from __future__ import annotations

import numpy as np
import pytest

from loihi_onespike.core.codes import Base, best_base, percentage_error


def test_best_base_is_near_the_papers() -> None:
    assert best_base(16).value == pytest.approx(1.3, abs=0.025)  # Fig. 6
    assert best_base(24).value == pytest.approx(1.2, abs=0.025)


def test_percentage_error_of_a_coarse_code_by_hand() -> None:
    """Base 4 and one phase: everything from 5/32 up is sent as 1/4 and the rest is lost; the integral by quadrature."""
    x = (np.arange(200_000) + 0.5) / 200_000
    density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    sent = np.where(x >= 0.25 * (1 + 0.25) / 2, 0.25, 0.0)
    expected = np.mean(np.abs(x - sent) / x * density)
    assert percentage_error(Base.nearest(4.0), 1) == pytest.approx(expected, rel=1e-4)
