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
