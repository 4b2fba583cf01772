"""Windows that are pooled axis after axis, and what they pass on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import loihi_onespike as los
from loihi_onespike.conversion.lowering.separate_pooling import separate_pooling
from loihi_onespike.conversion.pipeline import lowered_stages, source_of
from loihi_onespike.core.activations import RELU
from loihi_onespike.core.graphs.stage import InputStage, Link, OutputStage, Stage, StageGraph
from loihi_onespike.core.graphs.verify_stage import verify_stage
from loihi_onespike.core.maps import Diagonal, Pool, Window
from loihi_onespike.core.trace import first_difference
from loihi_onespike.executors.float.float_executor import FloatExecutor
from tests.support import models
from tests.support.facts import notes

MODEL = models.prepared(
    nn.Sequential(nn.Conv2d(2, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2, 1), nn.Flatten(), nn.Linear(96, 5)), 3
)
IMAGES = models.inputs(64)


ONE, ZERO = np.ones(()), np.zeros(())


def pooled(*windows: Window, shape: tuple[int, ...] = (2, 9, 9)) -> StageGraph:
    """A ReLU, a max pooling of it for each window, and a readout of the last one."""
    stages: list[InputStage | Stage | OutputStage] = [InputStage("x", shape)]
    stages.append(Stage("relu", shape, "relu", (Link("x", Diagonal(ONE), None, ONE),), ZERO, RELU, (1, 2)))
    for i, window in enumerate(windows):
        op = Pool(window, ONE)
        after = op.output_shape(shape)
        stages.append(Stage(f"pool{i}", after, "max_pool", (Link("relu", op, None, ONE),), ZERO, RELU, (1, 2)))
    copy = Link(stages[-1].name, Diagonal(ONE), None, ONE)
    return verify_stage(StageGraph("pooled", (*stages, OutputStage("out", after, (copy,), ZERO))))


def parts_of(before: StageGraph, payload_bits: int) -> list[str]:
    """Names of the populations behind the ReLU, whose output must stay what it was."""
    after = separate_pooling(before, payload_bits)
    x = np.random.default_rng(0).normal(size=(3, *before.input.shape))
    first, second = (FloatExecutor(graph, coded=False).run(x) for graph in (before, after))
    assert np.array_equal(first, second)
    return [stage.name for stage in after.hidden][1:]


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "dilation"),
    [
        ((3, 3), (2, 2), ((1, 1), (1, 1)), (1, 1)),
        ((3, 2), (1, 2), ((1, 0), (0, 1)), (2, 3)),
        ((6, 1), (1, 3), ((0, 2), (0, 0)), (1, 1)),  # the second axis has one tap, but steps
    ],
)
def test_any_window_is_that_of_its_axes_in_turn(
    kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[tuple[int, int], ...], dilation: tuple[int, int]
) -> None:
    assert parts_of(pooled(Window(kernel, stride, padding, dilation)), 3) == ["pool0.axis1", "pool0"]


def test_three_axes_are_three_populations() -> None:
    graph = pooled(Window.plain((2, 3, 2)), shape=(2, 4, 4, 4))
    assert parts_of(graph, 3) == ["pool0.axis1", "pool0.axis2", "pool0"]


def test_only_windows_without_room_for_the_payload_are_taken_apart() -> None:
    """Nine neurons hold messages of 13 // 8 = 1 bit, which is no payload; six hold one bit of payload, four three."""
    nine, six, four = Window.plain((3, 3)), Window.plain((2, 3)), Window.plain((2, 2))
    five = Window((5, 1), (1, 2), ((0, 0), (0, 0)), (1, 1))
    row = Window.plain((1, 9))  # no axis is left to take off
    for window, payload_bits in ((nine, 0), (six, 1), (five, 2), (four, 3), (four, 6), (row, 3)):
        assert parts_of(pooled(window), payload_bits) == ["pool0"]
    for window, payload_bits in ((nine, 1), (six, 2), (five, 3)):
        assert parts_of(pooled(window), payload_bits) == ["pool0.axis1", "pool0"]


def test_average_pooling_stays() -> None:
    graph = pooled(Window.plain((3, 3)))
    pool = graph.by_name["pool0"]
    assert isinstance(pool, Stage)
    mean = replace(pool, kind="average_pool", links=tuple(replace(k, scale=ONE / 9) for k in pool.links))
    averaged = verify_stage(replace(graph, stages=tuple(mean if s is pool else s for s in graph.stages)))
    assert separate_pooling(averaged, 3) is averaged


def test_the_other_populations_stay() -> None:
    """Those behind a window that stays whole are looked at too; several maps side by side are not taken apart."""
    graph = pooled(Window.plain((1, 9)), Window.plain((3, 3)), Window.plain((1, 1)), shape=(2, 11, 11))
    graph = replace(graph, rewrites=("first",))
    assert parts_of(graph, 3) == ["pool0", "pool1.axis1", "pool1", "pool2"]
    notes = separate_pooling(graph, 3).rewrites
    assert notes[0] == "first" and len(notes) == 2 and notes[1].startswith("pool1: pooled axis after axis")
    pool = graph.by_name["pool1"]
    assert isinstance(pool, Stage)
    (link,) = pool.links
    every = np.arange(242, dtype=np.int32).reshape(2, 11, 11)
    halves = (np.where(every < 121, every, -1), np.where(every < 121, -1, every))
    side_by_side = replace(pool, links=tuple(replace(link, index=index) for index in halves))
    both = replace(graph, stages=tuple(side_by_side if s is pool else s for s in graph.stages))
    assert separate_pooling(verify_stage(both), 3) is both


def test_the_same_values_in_real_numbers() -> None:
    whole = lowered_stages(source_of(MODEL, IMAGES))
    parts = separate_pooling(whole, 3)
    assert [s.name for s in parts.hidden] == ["1", "2.axis1", "2"] and [s.name for s in whole.hidden] == ["1", "2"]
    x = IMAGES.numpy()
    first, second = (FloatExecutor(graph, coded=False).run(x) for graph in (whole, parts))
    assert np.array_equal(first, second)
    assert separate_pooling(whole, 0) is whole


def test_large_windows_are_pooled_axis_after_axis() -> None:
    net = los.convert(MODEL, IMAGES, timesteps=4, payload_bits=3, objective="accuracy")
    pools = [p for p in net.network.hidden if p.kind == "max_pool"]
    assert [p.shape for p in pools] == [(6, 4, 8), (6, 4, 4)] and pools[1].name == "2"
    assert {p.code.payload_bits for p in net.network.hidden} == {3}
    assert notes(net, "2: pooled axis after axis")
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
