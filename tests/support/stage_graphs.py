"""A planned stage graph of a few neurons, built by hand."""

from __future__ import annotations

import numpy as np

from loihi_onespike.core.activations import IDENTITY, RELU
from loihi_onespike.core.codes import Base, BinaryCode, PhaseCode
from loihi_onespike.core.graphs.stage import InputPlan, InputStage, Link, OutputStage, Stage, StageGraph, StagePlan
from loihi_onespike.core.maps import Dense

CODE = PhaseCode(Base.nearest(2.0), 4)
"""Levels 1/2, 1/4, 1/8, 1/16."""


def two_layers() -> StageGraph:
    """Input (2,) → ReLU (3,) → signed linear (2,) → output (2,), every stage with a plan and full wait."""
    one, zero = np.ones(()), np.zeros(())
    first = Dense(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, -1.0]]))
    second = Dense(np.array([[1.0, 2.0, 0.0], [0.0, -1.0, 1.0]]))
    hidden = Stage("hidden", (3,), "relu", (Link("input", first, None, one),), zero, RELU, (0,))
    signed = Stage("signed", (2,), "linear", (Link("hidden", second, None, one),), np.array([0.5, 0.0]), IDENTITY, (0,))
    output = OutputStage("output", (2,), (Link("signed", Dense(np.eye(2)), None, one),), zero)
    plans = {s.name: StagePlan.of(s.activation, CODE, np.full(1, 2.0), None) for s in (hidden, signed)}
    plan = InputPlan(BinaryCode(3), one, zero)
    return StageGraph("two_layers", (InputStage("input", (2,)), hidden, signed, output), (), plan, plans)
