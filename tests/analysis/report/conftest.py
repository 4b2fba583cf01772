"""A small converted network with its model and data, and the document of its report; both made once."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from torch import nn

import loihi_onespike as los
from loihi_onespike.analysis.report.content.collect import collect
from loihi_onespike.analysis.report.content.subject import ReportSubject
from loihi_onespike.analysis.tuning import ConversionSetting, Front, Limits, NetworkFigures, Point
from loihi_onespike.boards.specification import load_board
from loihi_onespike.evaluation import Accuracy
from tests.support import models

IMAGES, DIAGNOSED, PROFILED, SHOWN = 24, 8, 12, 3
CLASSES = ("zero", "one </script>", "two", "three")


def cnn() -> nn.Module:
    layers = (nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64, 4))
    return models.prepared(nn.Sequential(*layers), 5)


def front() -> Front:
    """Two settings that were tried, one of them on the front, and one that could not be converted."""

    def figures(correct: int, latency: int) -> NetworkFigures:
        return NetworkFigures(Accuracy(correct, 100), Accuracy(97, 100), latency, latency // 2, 0.5, 1e5, 3.0)

    best, other, refused = (ConversionSetting(t, t, "auto", t > 8) for t in (16, 8, 4))
    tried = {best: figures(96, 60), other: figures(80, 30)}
    return Front([Point(best, 0, tried[best], figures(95, 60))], Limits(), {}, tried, {refused: "v: requires 25 bits"})


@pytest.fixture(scope="session")
def small() -> dict[str, Any]:
    """Network, model, images (N, 1, 8, 8) and labels."""
    random = np.random.default_rng(2)
    x = random.random((IMAGES, 1, 8, 8)).astype(np.float32)
    y = np.arange(IMAGES) % 4
    model = cnn()
    return {"net": los.convert(model, x, timesteps=6, method="paper"), "model": model, "x": x, "y": y}


@pytest.fixture(scope="session")
def subject(small) -> ReportSubject:
    return ReportSubject(
        small["net"], small["x"], small["y"], small["model"], None, load_board("oheo_gulch"), False, front(),
        {"network": "net.h5"}, CLASSES, DIAGNOSED, PROFILED, SHOWN, lambda what, done, of: None,
    )  # fmt: skip


@pytest.fixture(scope="session")
def document(subject) -> dict[str, Any]:
    """What `collect` found, after a way through JSON."""
    found = json.loads(json.dumps(collect(subject), allow_nan=False))
    assert isinstance(found, dict)
    return found
