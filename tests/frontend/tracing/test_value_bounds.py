"""Bounds of values that follow from the operations, by hand."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest

from loihi_onespike.core.activations import RELU, Clip, Elu, Exp, Reciprocal, Sigmoid, Silu
from loihi_onespike.core.graphs.ann import (
    Activate,
    Add,
    Affine,
    AnnOp,
    Concat,
    Input,
    Linear,
    MaxPool,
    Multiply,
    Reindex,
)
from loihi_onespike.core.maps import Dense, Pool, Window
from loihi_onespike.frontend.tracing.value_bounds import REACH, KnownRange, bounds_of

ONES = np.ones(())
PAIR = Window.plain((2,))
POSITIVE, ANY = KnownRange(0.0, inf, True), KnownRange()
NODES: dict[str, tuple[AnnOp, tuple[str, ...], KnownRange]] = {
    "x": (Input(), (), ANY),
    "relu": (Activate(RELU), ("x",), KnownRange(0.0)),
    "clip": (Activate(Clip(-1.0, 2.0)), ("x",), KnownRange(-1.0, 2.0)),
    "elu_of_positive": (Activate(Elu()), ("exp",), KnownRange(0.0)),
    "silu": (Activate(Silu()), ("relu",), ANY),
    "exp": (Activate(Exp()), ("x",), POSITIVE),
    "sigmoid": (Activate(Sigmoid()), ("x",), KnownRange(0.0, 1.0, True)),
    "reciprocal": (Activate(Reciprocal(0.5)), ("x",), KnownRange(0.0, 2.0)),
    "square": (Multiply(), ("x", "x"), KnownRange(0.0)),
    "with_epsilon": (Affine(2 * ONES, np.array(0.5)), ("square",), KnownRange(0.5)),
    "difference": (Affine(-ONES, ONES), ("sigmoid",), KnownRange(0.0, 1.0)),
    "per_channel": (Affine(np.array([1.0, -1.0]), ONES), ("clip",), KnownRange(-1.0, 3.0)),
    "constant": (Affine(0 * ONES, 3 * ONES), ("x",), KnownRange(3.0, 3.0)),
    "product": (Multiply(), ("sigmoid", "exp"), POSITIVE),
    "product_of_any": (Multiply(), ("x", "exp"), ANY),
    "sum": (Add(), ("relu", "exp"), POSITIVE),
    "mean": (Linear(Pool(PAIR, ONES), scale=0.5 * ONES), ("exp",), POSITIVE),
    "layer": (Linear(Dense(np.array([[1.0, 0.0]])), np.array([0.25])), ("relu",), KnownRange(0.25)),
    "layer_of_both_signs": (Linear(Dense(np.array([[1.0, -1.0]]))), ("relu",), ANY),
    "padded": (Reindex(np.array([0, -1], np.int32)), ("with_epsilon",), KnownRange(0.0)),
    "moved": (Reindex(np.array([1, 0], np.int32)), ("with_epsilon",), KnownRange(0.5)),
    "joined": (Concat(0), ("exp", "relu"), KnownRange(0.0)),
    "joined_positive": (Concat(0), ("exp", "with_epsilon"), POSITIVE),
    "largest": (MaxPool(PAIR), ("exp",), POSITIVE),
}


def node_of(name: str) -> tuple[AnnOp, tuple[str, ...]]:
    return NODES[name][:2]


@pytest.mark.parametrize("name", NODES)
def test_bounds(name: str) -> None:
    assert bounds_of(name, node_of) == NODES[name][2]


def test_what_is_positive() -> None:
    assert POSITIVE.positive and KnownRange(0.5).positive
    assert not KnownRange(0.0).positive and not ANY.positive


def test_the_search_ends() -> None:
    chain = {f"n{i}": (Add(), (f"n{i - 1}", f"n{i - 1}")) for i in range(1, REACH + 3)}
    graph: dict[str, tuple[AnnOp, tuple[str, ...]]] = {"n0": (Activate(Exp()), ("x",)), **chain, "x": (Input(), ())}
    assert bounds_of("n5", graph.__getitem__) == POSITIVE
    assert bounds_of(f"n{REACH + 2}", graph.__getitem__) == ANY
