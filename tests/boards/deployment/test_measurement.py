"""From readings of a board to figures per image."""

from dataclasses import replace

import numpy as np
import pytest

from loihi_onespike.boards.deployment.backends.lava.profiler import readings
from loihi_onespike.boards.deployment.backends.lava.sign_extension import sign_extended
from loihi_onespike.boards.deployment.measurement import BoardMeasurement

RAW = {
    "execution_time": 0.02,
    "power": 1.305,
    "static_power": 1.28,
    "num_alloc_chips": 2.0,
    "num_available_chips": 8.0,
}
RUN = BoardMeasurement(4000, 40, True, RAW)
"""4,000 steps of 5 µs, 100 images; 25 mW dynamic; 1.28 W static on 8 chips, 2 of them in use."""


def test_figures_per_image():
    assert RUN.step_us == pytest.approx(5.0) and RUN.images_per_s == pytest.approx(5000.0)
    assert RUN.dynamic_mw == pytest.approx(25.0)
    assert RUN.static_mw == pytest.approx(320.0)  # two of eight chips
    assert RUN.total_mw == pytest.approx(345.0)
    assert RUN.per_image_uj(RUN.total_mw) == pytest.approx(69.0)  # 345 mW · 20 ms / 100
    assert RUN.warnings == () and "compute only" in RUN.label


def test_readings_that_are_not_to_be_trusted():
    negative = replace(RUN, raw={**RAW, "power": 1.276})
    assert negative.dynamic_mw == pytest.approx(-4.0)
    (warning,) = negative.warnings
    assert "-4.0 mW, below zero" in warning and "10 mW" in warning
    (warning,) = replace(RUN, raw={**RAW, "power": 1.287}).warnings
    assert "no more than its resolution" in warning
    (warning,) = replace(RUN, steps=400).warnings
    assert "400 steps" in warning and "2,000 to 10,000" in warning
    (warning,) = replace(RUN, compute_only=False).warnings
    assert "--compute-only" in warning
    (warning,) = replace(RUN, raw={**RAW, "num_available_chips": None}).warnings
    assert "whole board" in warning
    whole = replace(RUN, raw={**RAW, "num_available_chips": None})
    assert whole.static_mw == pytest.approx(1280.0)


def test_a_profiler_that_says_little():
    class Profiler:
        execution_time = np.array([1e-6, 3e-6])

    raw = readings(Profiler())
    assert raw["execution_time"] == pytest.approx(4e-6) and raw["power"] is None
    found = BoardMeasurement(2, 1, False, raw)
    assert found.total_mw is None and found.per_image_uj(found.total_mw) is None
    assert any("no power" in w for w in found.warnings)
    assert BoardMeasurement(2, 1, False, {"execution_time": 0.0}).images_per_s is None


def test_signs_of_24_bits():
    given = np.array([0, 1, 2**23 - 1, 2**23, 2**24 - 1, -1, -(2**23)])
    assert sign_extended(given).tolist() == [0, 1, 2**23 - 1, -(2**23), -1, -1, -(2**23)]
