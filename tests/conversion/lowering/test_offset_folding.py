"""The value of no spike becomes part of the biases of its readers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from loihi_onespike.conversion.lowering.offset_folding import fold_offsets
from loihi_onespike.core.graphs.stage import Link, Stage
from loihi_onespike.core.maps import Conv, Dense, Window
from tests.support.stage_graphs import two_layers

ONE = np.ones(())
OFFSETS = {"hidden": np.array([1.0, 2.0, 4.0]), "input": np.array(10.0)}


def test_the_bias_takes_the_weights_times_the_offset() -> None:
    graph = two_layers()
    stage = graph.by_name["signed"]
    assert isinstance(stage, Stage)
    folded = fold_offsets(stage, {"hidden": np.array([1.0, 2.0, 4.0])}, graph)
    np.testing.assert_allclose(folded.bias, [1 + 4 + 0.5, -2 + 4])
    assert fold_offsets(stage, {"input": np.ones(())}, graph) is stage


def test_every_link_counts_with_its_scale_and_those_without_offset_do_not() -> None:
    """hidden has none, signed has zero, and the input 10 in both places: 2 · (10, 20) beside a bias of 1."""
    graph = two_layers()
    links = (
        Link("hidden", Dense(np.ones((2, 3))), None, ONE),
        Link("signed", Dense(np.ones((2, 2))), None, ONE),
        Link("input", Dense(np.array([[1.0, 0.0], [1.0, 1.0]])), None, np.array(2.0)),
    )
    stage = replace(graph.output, links=links, bias=np.array(1.0))
    folded = fold_offsets(stage, {"input": np.array(10.0), "signed": np.zeros(2)}, graph)
    np.testing.assert_allclose(folded.bias, [21, 41])


def test_padded_places_have_no_offset() -> None:
    """y[i] = x[i - 1] + 10 x[i], and the gather leaves the last place empty."""
    graph = two_layers()
    conv = Conv(np.array([[[1.0, 10.0]]]), Window((2,), (1,), ((1, 0),), (1,)))
    link = Link("hidden", conv, np.array([[0, 2, -1]], np.int32), ONE)
    stage = replace(graph.output, links=(link,), shape=(1, 3))
    np.testing.assert_allclose(fold_offsets(stage, OFFSETS, graph).bias, [[10, 1 + 40, 4]])


def test_each_factor_of_a_product_takes_its_own() -> None:
    graph = two_layers()
    signed = graph.by_name["signed"]
    assert isinstance(signed, Stage)
    around = Link("input", Dense(np.eye(2)), None, ONE, 0, 1)
    product = replace(
        signed, kind="product", links=(*signed.links, around), bias=np.array(7.0), factor_biases=(np.array(0.5), ONE)
    )
    folded = fold_offsets(product, OFFSETS, graph)
    assert folded.factor_biases is not None and folded.bias.item() == 7  # what is added to the product stays
    np.testing.assert_allclose(folded.factor_biases[0], [5.5, 2.5])
    np.testing.assert_allclose(folded.factor_biases[1], [11, 11])
