"""Plans of stages: thresholds seen through the activation, and what a planned graph tells about its codes."""

from __future__ import annotations

from math import log

import numpy as np

from loihi_onespike.core.activations import IDENTITY, RELU, Clip, Hardswish, Softplus
from loihi_onespike.core.codes import Codebook
from loihi_onespike.core.graphs.stage import StagePlan
from tests.support.stage_graphs import CODE, two_layers

HALVES = Codebook((8192, 8192))
"""Thresholds 3/8 and 1/8."""


def test_a_homogeneous_activation_keeps_a_scale_per_channel() -> None:
    scale = np.array([[2.0], [5.0]])
    plan = StagePlan.of(RELU, HALVES, scale, 3)
    assert plan.threshold is scale and plan.table.tolist() == [0.375, 0.125] and plan.negative is None
    both = StagePlan.of(IDENTITY, HALVES, scale, None)
    assert both.negative is not None and both.negative.tolist() == [0.375, 0.125]


def test_another_activation_puts_the_scale_into_the_table() -> None:
    """With λ = 2 the thresholds are 0.75 and 0.25; a lower limit of -0.5 is never reached by 0.75."""
    plan = StagePlan.of(Clip(-0.5, 9.0), HALVES, np.full((1, 1), 2.0), None)
    assert plan.threshold.tolist() == [[1.0]] and plan.table.tolist() == [0.75, 0.25]
    assert plan.negative is not None and plan.negative.tolist() == [np.inf, 0.25]


def test_thresholds_are_those_of_the_inverse() -> None:
    """ln(1 + e^z) = y at z = ln(e^y - 1): with λ = 8 ln 2 the last threshold is ln 2, which z = 0 reaches."""
    plan = StagePlan.of(Softplus(), HALVES, np.array([8 * log(2)]), None)
    np.testing.assert_allclose(plan.table, [log(2**3 - 1), 0.0], atol=1e-15)


def test_a_dip_has_both_ends_of_every_value() -> None:
    """With λ = 0.8 the thresholds are 0.3 and 0.1, which z (z + 3) / 6 = -y reaches at (-3 ± √(9 - 24 y)) / 2."""
    plan = StagePlan.of(Hardswish(), HALVES, np.array([0.8]), None)
    root = np.sqrt(9 - 24 * np.array([0.3, 0.1]))
    assert plan.negative is not None and plan.far is not None
    np.testing.assert_allclose(plan.negative, (3 - root) / 2)
    np.testing.assert_allclose(plan.far, (3 + root) / 2)


def test_codes_and_scales_of_a_planned_graph() -> None:
    graph = two_layers()
    assert graph.code_of("hidden") == CODE and graph.code_of("input").timesteps == 3
    assert graph.scale_of("signed").tolist() == [2.0] and graph.scale_of("input").tolist() == 1.0
    hidden, signed = graph.hidden
    assert (hidden.name, signed.name, graph.output.name) == ("hidden", "signed", "output")
    assert (graph.input_steps(hidden), graph.input_steps(signed)) == (3, 4)
    assert hidden.nonnegative and not signed.nonnegative
