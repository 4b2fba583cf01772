"""Largest values and samples of seven neurons on two images, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import loihi_onespike as los
from loihi_onespike.conversion.calibration.survey import Survey
from loihi_onespike.errors import CalibrationError
from loihi_onespike.executors.float.float_executor import FloatExecutor
from tests.support import models
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


def test_of_a_pooled_stage_only_what_is_passed_on() -> None:
    layers = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(48, 4))
    model, x = models.prepared(layers, 2), models.inputs(40, seed=1)[:, :, :8, :8]
    net = los.convert(model, x, objective="accuracy")
    assert net.stages is not None
    before, pooling = net.stages.hidden
    with torch.no_grad():
        passed = model[:3](x).double().numpy().transpose(1, 0, 2, 3).reshape(3, -1)
    survey = Survey(net.stages, [x.numpy()], len(x))
    assert list(survey.samples) == [before.name]
    # Weights and biases are those of the SNN.
    assert np.allclose(np.sort(survey.samples[before.name]), np.sort(passed), atol=0.05)
    # The bias of the stage in front gives these values, not those of all its neurons, the mean of the ANN's.
    seen: dict[str, torch.Tensor] = {}
    FloatExecutor(net.stages).run(x.numpy(), lambda stage, z: seen.update({stage.name: z}))
    sent = seen[pooling.name].double().numpy().transpose(1, 0, 2, 3).reshape(3, -1)
    assert np.allclose(sent.mean(axis=1), passed.mean(axis=1), rtol=0.005)
