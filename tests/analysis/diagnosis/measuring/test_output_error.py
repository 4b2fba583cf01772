"""The error of outputs, by hand and with the classes on either axis."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from loihi_onespike.analysis.diagnosis.measuring.output_error import ErrorSum


def test_two_samples_by_hand():
    found = ErrorSum()
    ann, output = np.array([[0.75, 0.25], [0.5, 0.5]]), np.array([[0.25, 0.75], [0.5, 0.5]])
    found.add(output, ann, "softmax", np.array([1, 0]))
    error = found.error
    # 2 · 0.5² over 0.75² + 0.25² + 2 · 0.5², and 0.5 ln 3 in the first of two samples
    assert error.relative == pytest.approx(np.sqrt(0.5 / 1.125))
    assert error.kl == pytest.approx(0.5 * np.log(3) / 2)
    assert error.agreement == 0.5 and error.accuracy == 1


def test_classes_on_the_last_axis():
    rng = np.random.default_rng(0)
    ann, output = (softmax(rng.normal(size=(3, 5, 4)), axis=-1) for _ in range(2))
    labels = rng.integers(0, 4, (3, 5))
    last, second = ErrorSum(), ErrorSum()
    last.add(output, ann, "softmax_last", labels)
    second.add(np.moveaxis(output, -1, 1), np.moveaxis(ann, -1, 1), "softmax", labels)
    assert last.places == second.places == 15 and last.right == second.right and last.agreed == second.agreed
    assert last.error == second.error
    assert last.error.kl == pytest.approx(float((ann * np.log(ann / output)).sum(axis=-1).mean()))
