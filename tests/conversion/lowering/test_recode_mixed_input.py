"""An input that is read beside other stages is sent again by a population of its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from loihi_onespike.conversion.lowering.recode_mixed_input import reads_beside_others, recode_mixed_input
from loihi_onespike.core.activations import IDENTITY
from loihi_onespike.core.graphs.stage import InputStage, Link, OutputStage, Stage, StageGraph
from loihi_onespike.core.graphs.verify_stage import verify_stage
from loihi_onespike.core.maps import Dense, Diagonal
from tests.support.stage_graphs import two_layers


def test_only_readers_of_the_input_and_other_stages_change() -> None:
    graph = replace(two_layers(), plans={}, input_plan=None)
    assert recode_mixed_input(graph) is graph
    around = Link("input", Dense(np.eye(2)), None, np.ones(()))
    output = replace(graph.output, links=(*graph.output.links, around))
    recoded = recode_mixed_input(replace(graph, stages=(*graph.stages[:-1], output)))
    assert [s.name for s in recoded.stages] == ["input", "input.recoded", "hidden", "signed", "output"]
    assert [k.pre for k in recoded.output.links] == ["signed", "input.recoded"]
    assert recoded.rewrites[-1].startswith("input: sent again by input.recoded")


ONE, ZERO = np.ones(()), np.zeros(())
COPY = Diagonal(ONE)
SHAPE = (2, 3)


def beside(*gathers: list[int] | None, factors: tuple[int, ...] = ()) -> StageGraph:
    """A stage that reads the input, and one that reads the first stage and gathers of the input."""
    first = Stage("first", SHAPE, "linear", (Link("x", COPY, None, ONE),), ZERO, IDENTITY, (1,))
    indices = [None if g is None else np.array(g, np.int32).reshape(SHAPE) for g in gathers]
    around = [Link("x", COPY, i, np.array(k + 2.0)) for k, i in enumerate(indices)]
    links = [Link("first", COPY, None, ONE), *around]
    if factors:
        links = [replace(link, factor=f) for link, f in zip(links, factors, strict=True)]
    sums = Stage("sums", SHAPE, "linear", tuple(links), ZERO, IDENTITY, (1,))
    sums = replace(sums, kind="product", factor_biases=(ZERO, ZERO)) if factors else sums
    output = OutputStage("out", SHAPE, (Link("sums", COPY, None, ONE),), ZERO)
    return verify_stage(StageGraph("mixed", (InputStage("x", SHAPE), first, sums, output)))


def test_one_population_sends_the_whole_input_again() -> None:
    turned = [5, 4, 3, 2, 1, 0]
    recoded = recode_mixed_input(beside(turned, None))
    again = recoded.by_name["x.recoded"]
    assert isinstance(again, Stage) and again.kind == "linear" and again.activation is IDENTITY
    assert (again.shape, again.axes_shared, again.links[0].index) == (SHAPE, (1,), None)  # a scale per channel
    links = recoded.by_name["sums"].links  # type: ignore[union-attr]
    assert [link.pre for link in links] == ["first", "x.recoded", "x.recoded"]
    assert links[1].index is not None and links[1].index.ravel().tolist() == turned and links[2].index is None
    assert [link.scale.item() for link in links] == [1, 2, 3]
    assert [link.pre for link in recoded.by_name["first"].links] == ["x"]  # type: ignore[union-attr]


def test_inputs_side_by_side_have_a_population_each() -> None:
    """Equal gathers share one, the whole input has one too."""
    low, high = [0, 1, 2, 0, 1, 2], [3, 4, 5, 3, 4, 5]
    recoded = recode_mixed_input(beside(low, high, low, None), by_reader=True)
    added = {s.name: s for s in recoded.hidden if s.name not in ("first", "sums")}
    assert list(added) == ["x.recoded", "x.recoded_2", "x.recoded_3"]
    gathers = [stage.links[0].index for stage in added.values()]
    assert [None if g is None else g.ravel().tolist() for g in gathers] == [low, high, None]
    links = recoded.by_name["sums"].links  # type: ignore[union-attr]
    assert [link.pre for link in links] == ["first", "x.recoded", "x.recoded_2", "x.recoded", "x.recoded_3"]
    assert all(link.index is None for link in links)
    assert recoded.rewrites[-1].startswith("x: sent again by x.recoded, x.recoded_2, x.recoded_3 with one spike")


def test_each_factor_of_a_product_is_a_sum_of_its_own() -> None:
    apart = beside(None, factors=(0, 1))
    assert not reads_beside_others(apart.by_name["sums"], "x") and recode_mixed_input(apart) is apart
    together = beside(None, None, factors=(0, 1, 0))
    assert reads_beside_others(together.by_name["sums"], "x")
    assert not reads_beside_others(together.input, "x") and not reads_beside_others(together.output, "x")
