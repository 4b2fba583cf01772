"""Range of the input of a graph network: one per feature, with zero in it."""

from __future__ import annotations

import numpy as np
import pytest

from loihi_onespike.conversion.calibration.graph_input_code import plan_graph_input
from loihi_onespike.core.activations import RELU
from loihi_onespike.core.codes import BinaryCode
from loihi_onespike.core.graphs.stage import InputStage, Link, OutputStage, Stage, StageGraph
from loihi_onespike.core.maps import Dense
from loihi_onespike.errors import CalibrationError


def _graph() -> StageGraph:
    one, zero, eye = np.ones(()), np.zeros(()), Dense(np.eye(2))
    hidden = Stage("hidden", (3, 2), "relu", (Link("x", eye, None, one),), zero, RELU, (0,))
    output = OutputStage("output", (3, 2), (Link("hidden", eye, None, one),), zero)
    return StageGraph("graph", (InputStage("x", (3, 2)), hidden, output))


def test_range_per_feature() -> None:
    sample = np.array([[[0.0, 1.0], [3.0, -2.0], [1.5, 0.5]]])
    plan = plan_graph_input(_graph(), sample, BinaryCode(2)).input_plan
    assert plan is not None and plan.code == BinaryCode(2)
    np.testing.assert_allclose(plan.scale, [[4.0, 4.0]])  # a range of 3 in 3 steps of 1, times 2²
    np.testing.assert_allclose(plan.offset, [[0.0, -2.0]])


def test_nothing_but_zero() -> None:
    with pytest.raises(CalibrationError, match="zero"):
        plan_graph_input(_graph(), np.zeros((1, 3, 2)), BinaryCode(2))
