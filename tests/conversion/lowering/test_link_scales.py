"""λ of the inputs of a map in the order in which the map reads them."""

from __future__ import annotations

import numpy as np
import pytest

from loihi_onespike.conversion.lowering.link_scales import gathered_scale, pooled_scale
from loihi_onespike.core.activations import RELU
from loihi_onespike.core.graphs.stage import InputStage, Link, OutputStage, Stage, StageGraph
from loihi_onespike.core.graphs.verify_stage import verify_stage
from loihi_onespike.core.maps import Dense, Diagonal, Pool, Window
from loihi_onespike.errors import GraphError

ONE, ZERO = np.ones(()), np.zeros(())


def test_the_gather_moves_the_scales() -> None:
    link = Link("pre", Dense(np.ones((1, 2))), np.array([1, 0], np.int32), ONE)
    seen = gathered_scale(link, np.array([2.0, 3.0]), (2,))
    assert seen is not None and seen.tolist() == [3.0, 2.0]


def test_a_place_that_reads_nothing_takes_any_scale() -> None:
    link = Link("pre", Dense(np.ones((1, 2))), np.array([[-1, 0], [1, 0]], np.int32), ONE)
    seen = gathered_scale(link, np.array([2.0, 3.0]), (2,))
    assert seen is not None and seen.tolist() == [3.0, 2.0]


def test_places_that_share_a_weight_need_one_scale() -> None:
    link = Link("pre", Dense(np.ones((1, 3))), None, ONE)
    assert gathered_scale(link, np.array([[1.0], [2.0]]), (2, 3)) is None
    seen = gathered_scale(link, np.array([[1.0, 2.0, 4.0]]), (2, 3))
    assert seen is not None and seen.tolist() == [1.0, 2.0, 4.0]


def pooling(indices: dict[str, list[list[int]] | None]) -> tuple[Stage, StageGraph]:
    """Max pooling in pairs of three channels of four places, gathered from populations of two by four."""
    pool = Pool(Window((2,), (2,), ((0, 0),), (1,)), ONE)
    pre = [Stage(name, (2, 4), "relu", (Link("x", Diagonal(ONE), None, ONE),), ZERO, RELU, (1,)) for name in indices]
    gathers = {name: None if index is None else np.array(index, np.int32) for name, index in indices.items()}
    channels = {2 if index is None else len(index) for index in gathers.values()}
    shape = (channels.pop(), 2)
    links = tuple(Link(name, pool, index, ONE) for name, index in gathers.items())
    stage = Stage("pool", shape, "max_pool", links, ZERO, RELU, (1,))
    output = OutputStage("out", shape, (Link("pool", Diagonal(ONE), None, ONE),), ZERO)
    return stage, verify_stage(StageGraph("pooled", (InputStage("x", (2, 4)), *pre, stage, output)))


NOTHING = [-1, -1, -1, -1]
FIRST, SECOND = [0, 1, 2, 3], [4, 5, 6, 7]


def test_a_pooled_channel_has_the_scale_of_what_it_pools() -> None:
    stage, graph = pooling({"a": None})
    assert pooled_scale(stage, {"a": np.array([[2.0], [3.0]])}, graph).tolist() == [[2.0], [3.0]]


def test_channels_of_several_populations_are_side_by_side() -> None:
    """One channel is filled in its last place alone, and one not at all, which takes a scale of the others."""
    stage, graph = pooling({"a": [[-1, -1, -1, 7], NOTHING, NOTHING], "b": [NOTHING, FIRST, NOTHING]})
    scales = {"a": np.array([[2.0], [3.0]]), "b": np.array([[5.0], [7.0]])}
    assert pooled_scale(stage, scales, graph).tolist() == [[3.0], [5.0], [3.0]]


def test_channels_that_read_nothing_have_some_scale() -> None:
    stage, graph = pooling({"a": [NOTHING, NOTHING]})
    assert pooled_scale(stage, {"a": np.array([[2.0], [3.0]])}, graph).tolist() == [[1.0], [1.0]]


def test_one_channel_of_two_scales_is_refused() -> None:
    stage, graph = pooling({"a": [[0, 1, 4, 5], SECOND]})
    with pytest.raises(GraphError, match="pool: pools places of a with different scales"):
        pooled_scale(stage, {"a": np.array([[2.0], [3.0]])}, graph)
