"""Rows of a softmax share a scale after their largest values are taken off, and the output does not change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from loihi_onespike.conversion.lowering.exponential_rows import level_exponentials
from loihi_onespike.conversion.lowering.lower import lower
from loihi_onespike.core.activations import Exp, Reciprocal
from loihi_onespike.core.graphs.ann import Activate, Affine, AnnGraph, Input, Linear, Multiply, Node, Reindex
from loihi_onespike.core.graphs.stage import Link, OutputStage, Stage, StageGraph
from loihi_onespike.core.graphs.verify_ann import verify_ann
from loihi_onespike.core.maps import Dense
from loihi_onespike.executors.float.float_executor import FloatExecutor

ROWS, COLUMNS = 3, 4
SHAPE = (ROWS, COLUMNS)
LEVELS = np.array([[9.0], [0.0], [-7.0]])
"""What is added to each row, so that their largest values are far apart."""


def softmax_graph() -> StageGraph:
    """Softmax over the last axis of 2 x + LEVELS, and a linear map of it."""
    one, spread = np.ones(()), np.repeat(np.arange(ROWS, dtype=np.int32), COLUMNS).reshape(SHAPE)
    nodes = (
        Node("x", Input(), (), SHAPE),
        Node("levels", Affine(2 * one, LEVELS), ("x",), SHAPE),
        Node("exp", Activate(Exp()), ("levels",), SHAPE),
        Node("sum", Linear(Dense(np.ones((1, COLUMNS)))), ("exp",), (ROWS, 1)),
        Node("negated", Affine(-one, np.zeros(())), ("sum",), (ROWS, 1)),
        Node("reciprocal", Activate(Reciprocal()), ("negated",), (ROWS, 1)),
        Node("spread", Reindex(spread), ("reciprocal",), SHAPE),
        Node("softmax", Multiply(), ("exp", "spread"), SHAPE),
        Node("flat", Reindex(np.arange(12, dtype=np.int32)), ("softmax",), (12,)),
        Node("out", Linear(Dense(np.linspace(-1, 1, 36).reshape(3, 12))), ("flat",), (3,)),
    )
    return lower(verify_ann(AnnGraph("softmax", nodes)))


def samples() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.5, (50, *SHAPE))


def largest_exponentials(graph: StageGraph) -> np.ndarray:
    """Largest exponential of every row on the samples."""
    seen: list[np.ndarray] = []

    def observe(stage: Stage | OutputStage, z: object) -> None:
        if stage.name == "exp":
            seen.append(np.exp(z.numpy()))  # type: ignore[attr-defined]

    FloatExecutor(graph, coded=False).run(samples(), observe)
    return seen[0].max(axis=(0, 2))


def test_all_rows_have_the_same_largest_exponential_and_the_output_stays() -> None:
    before = softmax_graph()
    after = level_exponentials(before, [samples()])
    assert largest_exponentials(before)[0] > 1e5 * largest_exponentials(before)[2]
    np.testing.assert_allclose(largest_exponentials(after), 1.0, rtol=1e-5)
    outputs = [FloatExecutor(graph, coded=False).run(samples()) for graph in (before, after)]
    np.testing.assert_allclose(outputs[0], outputs[1], rtol=0, atol=1e-5)
    assert "relative to the largest of their row" in after.rewrites[-1]


def test_exponentials_whose_level_matters_keep_it() -> None:
    graph = softmax_graph()
    # The output reads the exponentials too, beside their softmax.
    out = graph.output
    beside = replace(out.links[0], pre="exp")
    both = replace(graph, stages=(*graph.stages[:-1], replace(out, links=(*out.links, beside))))
    found = level_exponentials(both, [samples()])
    np.testing.assert_array_equal(found.by_name["exp"].bias, graph.by_name["exp"].bias)  # type: ignore[union-attr]
    assert found.rewrites == both.rewrites


def test_graphs_without_exponentials_are_returned_as_they_are() -> None:
    graph = softmax_graph()
    plain = replace(graph, stages=(graph.stages[0], replace(graph.output, links=graph.stages[1].links, shape=SHAPE)))  # type: ignore[union-attr]
    assert level_exponentials(plain, [samples()]) is plain


def test_samples_of_all_batches_are_looked_at_until_there_are_enough() -> None:
    """The largest values may be in any of the batches, of which the third one has the 256th sample."""
    given = 0

    def batches() -> Iterator[np.ndarray]:
        nonlocal given
        for size in (5, 250, 1, 1):
            given += 1
            yield samples()[np.arange(size) % 50] + (given == 2)

    graph = softmax_graph()
    after = level_exponentials(graph, batches())
    assert given == 3
    seen = largest_exponentials(after)
    np.testing.assert_allclose(seen, np.exp(-2), rtol=1e-5)  # every x of the second batch is larger by 1, 2 x by 2


def rows_of(graph: StageGraph, *links: Link) -> StageGraph:
    """The graph with the first sum of exponentials in place of other links."""
    stage = graph.by_name["reciprocal"]
    assert isinstance(stage, Stage)
    changed = replace(stage, links=links)
    return replace(graph, stages=tuple(changed if s is stage else s for s in graph.stages))


def test_sums_that_do_not_take_every_exponential_once_are_no_rows() -> None:
    graph = softmax_graph()
    (whole,) = graph.by_name["reciprocal"].links  # type: ignore[union-attr]
    half = np.array([[0, 1, -1, -1], [4, 5, -1, -1], [8, 9, -1, -1]], np.int32)
    twice = np.array([[0, 0, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]], np.int32)
    for index in (half, twice):
        partly = rows_of(graph, replace(whole, index=index))
        assert level_exponentials(partly, [samples()]) is partly
    for second in (whole, replace(whole, index=half)):
        in_two = rows_of(graph, whole, second)
        assert level_exponentials(in_two, [samples()]) is in_two
    beside = rows_of(graph, whole, replace(whole, pre="x"))
    assert level_exponentials(beside, [samples()]) is beside


@pytest.mark.parametrize(
    "rows",
    [
        [range(8), range(4, 12), [*range(8, 12), *range(4)]],  # each in two of the sums
        [range(4), [0, 5, 6, 7], range(8, 12)],  # one in two of them, another in none
    ],
)
def test_exponentials_of_several_sums_are_in_no_row(rows: list[Iterable[int]]) -> None:
    """All exponentials are equal here, so that one level would fit them all."""
    graph = softmax_graph()
    (whole,) = graph.by_name["reciprocal"].links  # type: ignore[union-attr]
    index = np.array([[*row] for row in rows], np.int32)
    weight = np.broadcast_to(whole.op.weight[:, :1], (1, index.shape[1]))
    several = rows_of(graph, replace(whole, op=Dense(weight), index=index))
    x = np.tile(1.0 - LEVELS / 2, (4, 1, COLUMNS))
    assert level_exponentials(several, [x]) is several
    assert level_exponentials(graph, [x]) is not graph


def test_rows_that_are_not_those_of_the_softmax_keep_their_levels() -> None:
    """The sum gathers the exponentials in another order than the products, so that the output would change."""
    graph = softmax_graph()
    (whole,) = graph.by_name["reciprocal"].links  # type: ignore[union-attr]
    dealt = np.arange(12, dtype=np.int32).reshape(COLUMNS, ROWS).T
    after = level_exponentials(rows_of(graph, replace(whole, index=np.ascontiguousarray(dealt))), [samples()])
    assert after.by_name["exp"].bias is graph.by_name["exp"].bias  # type: ignore[union-attr]
    assert after.rewrites == graph.rewrites


@pytest.mark.parametrize("size", [1e-5, 1.0, 1e5])
@pytest.mark.parametrize(("share", "kept"), [(2e-3, True), (2e-4, False)])
def test_the_output_may_change_by_a_thousandth(share: float, kept: bool, size: float) -> None:
    """The output also reads the exponentials themselves, whose changes are this share of its largest value."""
    graph = softmax_graph()
    out = replace(graph.output, links=tuple(replace(k, scale=k.scale * size) for k in graph.output.links))
    graph = replace(graph, stages=(*graph.stages[:-1], out))
    reads = np.zeros((3, 12))
    reads[0, 0] = 1.0
    exponential = np.exp(2 * samples()[:4, 0, 0] + LEVELS[0, 0]).max()
    plain = FloatExecutor(graph, coded=False).run(samples()[:4])
    scale = share * np.abs(plain).max() / exponential
    flat = np.arange(12, dtype=np.int32)
    beside = Link("exp", Dense(reads), flat, np.array(scale))
    both = replace(graph, stages=(*graph.stages[:-1], replace(out, links=(*out.links, beside))))
    after = level_exponentials(both, [samples()])
    assert (after.by_name["exp"].bias is both.by_name["exp"].bias) == kept  # type: ignore[union-attr]
    assert (after.rewrites == both.rewrites) == kept
