"""The stages are compared with the model, in shape and in value."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from loihi_onespike.conversion.lowering.check_lowering import check_lowering
from loihi_onespike.errors import GraphError
from tests.support.stage_graphs import two_layers

X = np.array([[1.0, 2.0]], np.float32)
OUTPUT = np.array([[1 + 4 + 0.5, -2.0]])
"""ReLU of (1, 2, 1 - 2) is (1, 2, 0); then (1 + 2 · 2, -2) and the bias (0.5, 0)."""


def test_stages_that_compute_the_same() -> None:
    check_lowering(replace(two_layers(), plans={}), X, OUTPUT)


def test_other_values_or_another_shape() -> None:
    bare = replace(two_layers(), plans={})
    with pytest.raises(GraphError, match=r"two_layers: the converted graph differs from the model by 0.1 of its"):
        check_lowering(bare, X, OUTPUT / 1.1)
    with pytest.raises(GraphError, match=r"must give shape \(1, 3\) as the model does, got \(1, 2\)"):
        check_lowering(bare, X, np.zeros((1, 3)))


def test_the_difference_is_that_of_the_largest_output() -> None:
    """Small outputs count as large ones do; a thousandth of the largest output is the limit."""
    bare = replace(two_layers(), plans={})
    tiny = np.array([[1e-6, 1e-6]], np.float32)  # ReLU (1, 1, 0) · 1e-6; then (3, -1) · 1e-6 and the bias
    found = np.array([[0.5 + 3e-6, -1e-6]])
    check_lowering(bare, tiny, found)
    check_lowering(bare, X, OUTPUT + np.array([0.0, 5e-3]))  # of 5.5
    with pytest.raises(GraphError, match=r"differs from the model by 0\.001\d of its largest output, limit 0\.001;"):
        check_lowering(bare, X, OUTPUT + np.array([0.0, 7e-3]))
    hidden, signed = bare.hidden
    output = replace(bare.output, bias=np.array([0.0, 1e-3]))
    silent = replace(bare, stages=(bare.input, hidden, replace(signed, bias=np.zeros(())), output))
    check_lowering(silent, np.zeros((1, 2), np.float32), np.array([[0.0, 1e-3]]))
    with pytest.raises(GraphError, match=r"by 0\.5 of its largest output"):
        check_lowering(silent, np.zeros((1, 2), np.float32), np.array([[0.0, 2e-3]]))


def test_outputs_that_are_no_numbers_differ() -> None:
    with pytest.raises(GraphError, match="differs from the model by nan"):
        check_lowering(replace(two_layers(), plans={}), X, np.full((1, 2), np.nan))
