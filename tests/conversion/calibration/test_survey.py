"""Largest values and samples of seven neurons on two images, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from loihi_onespike.conversion.calibration.survey import Survey
from loihi_onespike.errors import CalibrationError
from tests.support.stage_graphs import two_layers

GRAPH = replace(two_layers(), plans={}, input_plan=None)
X = np.array([[1.0, 2.0], [3.0, -1.0]], np.float32)
HIDDEN = [[1.0, 2.0, 0.0], [3.0, 0.0, 4.0]]
"""ReLU of (x0, x1, x0 - x1)."""
SIGNED = [[1 + 4 + 0.5, -2.0], [3 + 0.5, 4.0]]
"""(h0 + 2 h1 + 0.5, h2 - h1)."""


@pytest.mark.parametrize("batches", [[X], [X[:1], X[1:]]], ids=["one batch", "two batches"])
def test_largest_magnitudes_and_samples(batches: list[np.ndarray]) -> None:
    survey = Survey(GRAPH, batches, 2)
    assert survey.images == 2
    assert survey.maxima["hidden"].tolist() == [3.0, 2.0, 4.0] and survey.maxima["signed"].tolist() == [5.5, 4.0]
    assert survey.samples["hidden"].T.tolist() == HIDDEN and survey.samples["signed"].T.tolist() == SIGNED


def test_no_data() -> None:
    with pytest.raises(CalibrationError, match="must be at least one batch, got none"):
        Survey(GRAPH, [], 0)


def test_values_that_are_not_finite() -> None:
    with pytest.raises(CalibrationError, match=r"^hidden: the ANN gives NaN or infinity"):
        Survey(GRAPH, [X * np.inf], 2)
