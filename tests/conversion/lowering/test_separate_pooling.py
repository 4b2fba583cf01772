"""Windows that are pooled axis after axis, and what they pass on."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

import loihi_onespike as los
from loihi_onespike.conversion.lowering.separate_pooling import separate_pooling
from loihi_onespike.conversion.pipeline import lowered_stages, source_of
from loihi_onespike.core.trace import first_difference
from loihi_onespike.executors.float.float_executor import FloatExecutor
from tests.support import models

MODEL = models.prepared(
    nn.Sequential(nn.Conv2d(2, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2, 1), nn.Flatten(), nn.Linear(96, 5)), 3
)
IMAGES = models.inputs(64)


def test_the_same_values_in_real_numbers() -> None:
    whole = lowered_stages(source_of(MODEL, IMAGES))
    parts = separate_pooling(whole, 3)
    assert [s.name for s in parts.hidden] == ["1", "2.axis1", "2"] and [s.name for s in whole.hidden] == ["1", "2"]
    x = IMAGES.numpy()
    first, second = (FloatExecutor(graph, coded=False).run(x) for graph in (whole, parts))
    assert np.array_equal(first, second)
    assert separate_pooling(whole, 0) is whole


def test_large_windows_are_pooled_axis_after_axis() -> None:
    net = los.convert(MODEL, IMAGES, timesteps=4, payload_bits=3)
    pools = [p for p in net.network.hidden if p.kind == "max_pool"]
    assert [p.shape for p in pools] == [(6, 4, 8), (6, 4, 4)] and pools[1].name == "2"
    assert {p.code.payload_bits for p in net.network.hidden} == {3}
    rewrites = net.network.facts["rewrites"]
    assert isinstance(rewrites, list) and any(line.startswith("2: pooled axis after axis") for line in rewrites)
    x = IMAGES[:3].numpy()
    found = net.trace(x, "fast")
    assert first_difference(found, net.trace(x, "reference")) is None
    before, _, passed = (found.layers[p.name].words for p in net.network.hidden)
    assert before is not None and passed is not None
    # Word 1 is the largest value and 0 none; the pooled word is the smallest one of the window that is not 0.
    ranked = torch.from_numpy(np.where(before == 0, -1000, -before.astype(np.int64))).double()
    largest = torch.nn.functional.max_pool2d(ranked, 3, 2, 1).numpy()
    assert np.array_equal(passed, np.where(largest == -1000, 0, -largest))
    assert not any(".axis" in p.name for p in los.convert(MODEL, IMAGES, timesteps=4).network.hidden)
