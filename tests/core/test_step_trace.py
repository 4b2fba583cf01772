"""The first place where two records of every step differ."""

from __future__ import annotations

import numpy as np

from loihi_onespike.core.step_trace import StepTrace, step_differences
from tests.support.lava_networks import chain

NETWORK = chain(4, 4)


def silent() -> StepTrace:
    return StepTrace.silent(NETWORK, 2, ["conv1", "mean2"], ["conv1", "out"])


def test_shapes_of_a_silent_trace() -> None:
    trace = silent()
    assert {n: a.shape for n, a in trace.spikes.items()} == {"conv1": (2, 8, 4, 8, 8), "mean2": (2, 8, 6, 2, 2)}
    assert {n: a.shape for n, a in trace.v.items()} == {"conv1": (2, 8, 4, 8, 8), "out": (2, 8, 5)}
    assert not any(a.any() for part in (trace.spikes, trace.v) for a in part.values())


def test_equal_traces_have_no_difference() -> None:
    assert step_differences(silent(), silent(), ["conv1", "mean2", "out"]) == []


def test_the_population_comes_before_the_step_and_the_potential_before_its_spike() -> None:
    found = silent()
    found.v["out"][0, 0, 4] = 7
    found.spikes["conv1"][1, 2, 3, 0, 5] = -1
    found.spikes["conv1"][1, 6, 0, 0, 0] = 1
    found.v["conv1"][1, 2, 0, 1, 1] = 9
    first, second, third = step_differences(silent(), found, ["conv1", "mean2", "out"])
    assert (first.population, first.quantity, first.image, first.step) == ("conv1", "v", 1, 3)
    assert (first.neuron, first.expected, first.found, first.count) == ((0, 1, 1), 0, 9, 1)
    assert (second.quantity, second.neuron, second.found, second.count) == ("spikes", (3, 0, 5), -1, 2)
    assert (third.population, third.step) == ("out", 1)
    assert str(first) == (
        "conv1: v at neuron [0, 1, 1], image 1, step 3 of its window: expected 0, found 9 (1 values differ)"
    )


def test_an_earlier_spike_comes_before_a_later_potential() -> None:
    found = silent()
    found.v["conv1"][0, 5, 0, 0, 0] = 1
    found.spikes["conv1"][0, 4, 0, 0, 0] = 1
    assert [d.quantity for d in step_differences(silent(), found, ["conv1"])] == ["spikes", "v"]


def test_what_only_one_of_them_holds_is_not_compared() -> None:
    other = StepTrace({}, {"out": np.ones((2, 8, 5), np.int32)})
    (only,) = step_differences(silent(), other, ["conv1", "mean2", "out"])
    assert (only.population, only.count) == ("out", 80)
