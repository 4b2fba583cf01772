"""What the lowering makes of graphs of a few nodes, whose stages must compute what the nodes do."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from loihi_onespike.conversion.lowering.lower import lower
from loihi_onespike.core.activations import IDENTITY, RELU, Activation, Exp, Reciprocal, Sigmoid
from loihi_onespike.core.graphs.ann import (
    Activate,
    Add,
    Affine,
    AnnGraph,
    AnnOp,
    Concat,
    Finish,
    Input,
    Linear,
    MaxPool,
    Multiply,
    Node,
    Reindex,
)
from loihi_onespike.core.graphs.output_form import OutputForm
from loihi_onespike.core.graphs.stage import Stage, StageGraph
from loihi_onespike.core.graphs.verify_ann import verify_ann
from loihi_onespike.core.maps import Conv, Dense, Diagonal, Pool, Shape, Window
from loihi_onespike.errors import UnsupportedModelError
from loihi_onespike.executors.float.float_executor import FloatExecutor
from tests.support.ann_eval import evaluate

SHAPE = (2, 4)
ONE, ZERO = np.ones(()), np.zeros(())
RECTIFY = Activate(RELU)
MIXED = Conv(np.array([[[1.0, -2.0], [0.5, 1.5]], [[-1.0, 0.3], [2.0, -0.7]]]), Window((2,), (1,), ((1, 0),), (1,)))
POSITIVE = Conv(np.array([[[1.0], [2.0]], [[0.5], [0.25]]]), Window.plain((1,)))
PAIRS = Window((2,), (2,), ((0, 0),), (1,))
TURNED = np.array([[3, 2, 1, 0], [7, 6, 5, 4]], np.int32)
PADDED = np.array([[-1, 0, 1, 2, 3], [-1, 4, 5, 6, 7]], np.int32)
UNEVEN = np.array([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]])
NORM = Affine(np.array([[2.0], [-0.5]]), np.array([[0.25], [1.0]]))


def ann(*ops: tuple[str, AnnOp, str] | tuple[str, AnnOp, str, str], outputs: tuple[str, ...] = ()) -> AnnGraph:
    """Named operations with the names that they read, behind the input x."""
    nodes = {"x": Node("x", Input(), (), SHAPE)}
    for name, op, *read in ops:
        nodes[name] = Node(name, op, tuple(read), _shape(op, [nodes[n].shape for n in read]))
    form = OutputForm.of_tuple(len(outputs)) if outputs else None
    return verify_ann(AnnGraph("by_hand", tuple(nodes.values()), (), outputs, form))


def _shape(op: AnnOp, read: list[Shape]) -> Shape:
    if isinstance(op, Linear):
        return op.op.output_shape(read[0])
    if isinstance(op, MaxPool):
        return (read[0][0], *op.window.output(read[0][1:]))
    if isinstance(op, Concat):
        return tuple(sum(s[a] for s in read) if a == op.axis else n for a, n in enumerate(read[0]))
    return op.index.shape if isinstance(op, Reindex) else read[0]


def lowered(*ops: tuple[str, AnnOp, str] | tuple[str, AnnOp, str, str]) -> StageGraph:
    """The stages, which must compute what the nodes do."""
    graph = ann(*ops)
    stages = lower(graph)
    x = np.random.default_rng(0).normal(size=(5, *SHAPE))
    found = FloatExecutor(stages, coded=False, dtype=torch.float64).run(x)
    np.testing.assert_allclose(found, evaluate(graph, x), rtol=1e-9, atol=1e-12)
    return stages


def populations(graph: StageGraph) -> list[tuple[str, str]]:
    return [(s.name, s.kind) for s in graph.hidden]


def test_what_is_linear_in_front_of_a_layer_goes_into_it() -> None:
    """Factors, a constant, a bias and the factor of the layer; y is padded, so the constant is not at every place."""
    layer = Linear(MIXED, np.array([[0.5], [-0.5]]), np.array([[3.0], [-2.0]]))
    graph = lowered(("r", RECTIFY, "x"), ("n", NORM, "r"), ("y", layer, "n"), ("z", RECTIFY, "y"), ("o", NORM, "z"))
    assert populations(graph) == [("r", "relu"), ("z", "relu")]
    (link,) = graph.by_name["z"].links  # type: ignore[union-attr]
    assert link.macs == MIXED.macs(SHAPE) and graph.by_name["z"].bias.shape == SHAPE  # type: ignore[union-attr]


def test_the_multiplications_of_a_layer_are_those_of_the_user() -> None:
    graph = lowered(("r", RECTIFY, "x"), ("y", Linear(MIXED, macs=5), "r"), ("z", RECTIFY, "y"), ("o", NORM, "z"))
    assert [link.macs for s in graph.hidden for link in s.links] == [0, 5]


def test_a_value_that_two_read_has_one_population() -> None:
    """Where it is computed by a map; a copy of a population needs none."""
    layer = Linear(MIXED)
    graph = lowered(("y", layer, "x"), ("a", RECTIFY, "y"), ("b", Activate(Sigmoid()), "y"), ("o", Add(), "a", "b"))
    assert populations(graph) == [("y", "linear"), ("a", "relu"), ("b", "sigmoid")]
    copied = lowered(("y", NORM, "x"), ("a", RECTIFY, "y"), ("b", Activate(Sigmoid()), "y"), ("o", Add(), "a", "b"))
    assert populations(copied) == [("a", "relu"), ("b", "sigmoid")]


def test_a_factor_per_place_needs_a_relay_in_front_of_a_kernel() -> None:
    uneven = Affine(UNEVEN, np.array(0.5))
    graph = lowered(("r", RECTIFY, "x"), ("u", uneven, "r"), ("y", Linear(MIXED), "u"), ("z", RECTIFY, "y"))
    assert populations(graph) == [("r", "relu"), ("u.relay", "linear")]
    assert graph.by_name["u.relay"].activation == RELU  # type: ignore[union-attr]
    negative = Affine(-UNEVEN, ZERO)
    graph = lowered(("r", RECTIFY, "x"), ("u", negative, "r"), ("y", Linear(MIXED), "u"), ("z", RECTIFY, "y"))
    assert graph.by_name["u.relay"].activation == IDENTITY  # type: ignore[union-attr]


def test_an_affine_map_behind_padding_needs_a_population() -> None:
    """The padded places become the shift, which no term of the map in front of them stands for."""
    ops = ("y", Linear(MIXED), "x"), ("p", Reindex(PADDED), "y"), ("n", NORM, "p"), ("z", RECTIFY, "n")
    assert populations(lowered(*ops, ("o", NORM, "z"))) == [("p", "linear"), ("z", "relu")]
    turned = ("y", Linear(MIXED), "x"), ("p", Reindex(TURNED), "y"), ("n", NORM, "p"), ("z", RECTIFY, "n")
    assert populations(lowered(*turned, ("o", NORM, "z"))) == [("z", "relu")]


@pytest.mark.parametrize(("function", "kinds"), [(RELU, ["relu"]), (Sigmoid(), ["linear", "sigmoid"])])
def test_padding_in_front_of_an_activation(function: Activation, kinds: list[str]) -> None:
    """f(0) is 0 for a ReLU, and not for a sigmoid; a rearrangement alone needs no population for either."""
    for index, found in ((PADDED, kinds), (TURNED, kinds[-1:])):
        ops = ("y", Linear(MIXED), "x"), ("p", Reindex(index), "y"), ("z", Activate(function), "p")
        assert [kind for _, kind in populations(lowered(*ops, ("o", Affine(2 * ONE, ONE), "z")))] == found


def test_activations_that_change_nothing_are_dropped() -> None:
    ops = ("r", RECTIFY, "x"), ("i", Activate(IDENTITY), "r"), ("y", Linear(POSITIVE), "i"), ("s", RECTIFY, "y")
    graph = lowered(*ops, ("o", NORM, "s"))
    assert populations(graph) == [("r", "relu")]
    assert graph.rewrites == tuple(f"{n} changes none of its values, dropped" for n in ("i: identity", "s: relu"))


@pytest.mark.parametrize(
    ("layer", "stays"),
    [
        (Linear(POSITIVE), False),
        (Linear(POSITIVE, np.ones(()), np.array(2.0)), False),
        (Linear(POSITIVE, np.array([[0.0], [-1.0]])), True),
        (Linear(POSITIVE, None, np.array([[1.0], [-1.0]])), True),
        (Linear(MIXED), True),
    ],
)
def test_a_second_relu_stays_where_its_values_may_be_negative(layer: Linear, stays: bool) -> None:
    graph = lowered(("r", RECTIFY, "x"), ("y", layer, "r"), ("s", RECTIFY, "y"), ("o", NORM, "s"))
    assert populations(graph) == [("r", "relu"), ("s", "relu")][: 1 + stays]
    signed = lowered(("i", Activate(Sigmoid()), "x"), ("n", NORM, "i"), ("y", layer, "n"), ("s", RECTIFY, "y"))
    assert signed.output.finish == "relu"


def test_factors_of_a_degree_have_a_scale_per_neuron() -> None:
    positive = ("e", Activate(Exp()), "x"), ("n", Affine(-ONE, -ONE), "e"), ("d", Activate(Reciprocal()), "n")
    graph = lowered(*positive, ("r", RECTIFY, "x"), ("o", Add(), "d", "r"))
    shared = {s.name: s.axes_shared for s in graph.hidden}
    assert shared == {"e": (1,), "d": (), "r": (1,)}


@pytest.mark.parametrize(
    ("in_front", "names"),
    [
        (("r", RECTIFY, "x"), ["r", "m"]),
        (("r", Concat(0), "a", "a"), ["a", "m"]),
    ],
)
def test_max_pooling_reads_populations(in_front: tuple[str, AnnOp, str], names: list[str]) -> None:
    first = [("a", RECTIFY, "x")] if names[0] == "a" else []
    graph = lowered(*first, in_front, ("m", MaxPool(PAIRS), "r"), ("o", Affine(2 * ONE, ONE), "m"))
    assert [s.name for s in graph.hidden] == names
    last = list(graph.hidden)[-1]
    assert last.kind == "max_pool" and last.activation == RELU
    assert all(isinstance(link.op, Pool) and link.op.weight == 1 for link in last.links)


@pytest.mark.parametrize("op", [Affine(2 * ONE, ZERO), Affine(ONE, ONE), Linear(POSITIVE)])
def test_max_pooling_of_a_linear_value_has_a_population_in_front(op: AnnOp) -> None:
    graph = lowered(("r", RECTIFY, "x"), ("n", op, "r"), ("m", MaxPool(PAIRS), "n"), ("o", Affine(2 * ONE, ONE), "m"))
    assert populations(graph) == [("r", "relu"), ("m.input", "linear"), ("m", "max_pool")]
    assert graph.by_name["m.input"].activation == RELU  # type: ignore[union-attr]


def test_all_poolings_of_values_that_may_be_negative_are_told() -> None:
    graph = ann(("m", MaxPool(PAIRS), "x"), ("y", Linear(MIXED), "m"), ("p", MaxPool(PAIRS), "y"), ("o", NORM, "p"))
    with pytest.raises(UnsupportedModelError) as error:
        lower(graph)
    assert [(f.node, f.found) for f in error.value.findings] == [
        (name, "max pooling of values that may be negative") for name in ("m", "p")
    ]


def test_a_network_without_neurons_is_refused() -> None:
    with pytest.raises(UnsupportedModelError, match="no activation between input and output") as error:
        lower(ann(("y", Linear(MIXED), "x"), ("z", RECTIFY, "y")))  # the host computes the last ReLU
    assert [f.node for f in error.value.findings] == ["z"]


def test_a_product_of_two_sums() -> None:
    """Each keeps its constant; the square of a value is never negative, nor is a product of two that are not."""
    ops = ("r", RECTIFY, "x"), ("a", Linear(MIXED, np.array(0.5)), "r"), ("b", NORM, "r"), ("p", Multiply(), "a", "b")
    graph = lowered(*ops, ("o", NORM, "p"))
    assert populations(graph) == [("r", "relu"), ("p", "product")]
    product = graph.by_name["p"]
    assert isinstance(product, Stage) and product.activation == IDENTITY and product.axes_shared == (1,)
    assert [(type(link.op), link.factor) for link in product.links] == [(Conv, 0), (Diagonal, 1)]

    def activation(first: str, second: str) -> Activation:
        ops = ("r", RECTIFY, "x"), ("n", NORM, "r"), ("p", Multiply(), first, second)
        found = lowered(*ops, ("o", Affine(2 * ONE, ONE), "p")).by_name["p"]
        assert isinstance(found, Stage)
        return found.activation

    assert activation("n", "n") == activation("r", "r") == RELU
    assert activation("n", "r") == activation("r", "n") == IDENTITY


@pytest.mark.parametrize("order", [("t", "r"), ("r", "t")])
@pytest.mark.parametrize(("index", "kinds"), [(TURNED, ["relu", "product"]), (PADDED, ["relu", "linear", "product"])])
def test_a_factor_that_is_rearranged_is_multiplied_in_its_own_order(
    order: tuple[str, str], index: np.ndarray, kinds: list[str]
) -> None:
    places = np.arange(10 if index is PADDED else 8, dtype=np.int32) % 8
    ops = ("r0", RECTIFY, "x"), ("y", Linear(MIXED), "r0"), ("t", Reindex(index), "y")
    graph = lowered(*ops, ("r", Reindex(places.reshape(2, -1)), "r0"), ("p", Multiply(), *order), ("o", NORM, "p"))
    assert [kind for _, kind in populations(graph)] == kinds


def test_two_rearranged_factors() -> None:
    """Neither is in the order of the other, so that both get populations."""
    ops = (
        ("a", Linear(MIXED), "x"),
        ("b", Linear(POSITIVE), "x"),
        ("t", Reindex(TURNED), "a"),
        ("u", Reindex(TURNED), "b"),
    )
    graph = lowered(*ops, ("p", Multiply(), "t", "u"), ("o", NORM, "p"))
    assert populations(graph) == [("t", "linear"), ("u", "linear"), ("p", "product")]


def test_sums_and_concatenations_of_rearranged_maps() -> None:
    ops = ("y", Linear(MIXED), "x"), ("t", Reindex(TURNED), "y"), ("r", RECTIFY, "x")
    assert populations(lowered(*ops, ("s", Add(), "t", "r"), ("o", NORM, "s"))) == [("r", "relu"), ("t", "linear")]
    graph = lowered(*ops, ("c", Concat(1), "t", "r"), ("z", RECTIFY, "c"), ("o", Affine(2 * ONE, ONE), "z"))
    assert populations(graph) == [("r", "relu"), ("t", "linear"), ("z", "relu")]


def test_a_gather_that_changes_nothing_is_left_out() -> None:
    """Turning twice is one gather, that of the identity, which the links do not have."""
    ops = ("r", RECTIFY, "x"), ("t", Reindex(TURNED), "r"), ("u", Reindex(TURNED), "t"), ("z", Activate(Sigmoid()), "u")
    graph = lowered(*ops, ("w", Reindex(TURNED), "z"), ("o", NORM, "w"))
    assert [link.index is None for s in graph.hidden for link in s.links] == [True, True]
    (link,) = graph.output.links
    assert link.index is not None and link.index.tolist() == TURNED.tolist() and graph.output.order is None


def test_the_host_rearranges_the_output() -> None:
    graph = lowered(("r", RECTIFY, "x"), ("y", Linear(MIXED), "r"), ("t", Reindex(PADDED), "y"))
    assert graph.output.order is not None and graph.output.order.tolist() == PADDED.tolist()
    assert (graph.output.shape, graph.output.links[0].index) == (SHAPE, None)


def test_a_dense_layer_tells_what_it_takes_up() -> None:
    flat, layer = Reindex(np.arange(4, dtype=np.int32)), Linear(Dense(np.array([[1.0, -1.0, 2.0, 0.5]])), np.ones(1))
    mean = Linear(Pool(PAIRS, ONE), None, np.array(0.5))
    graph = lowered(("r", RECTIFY, "x"), ("m", mean, "r"), ("f", flat, "m"), ("o", layer, "f"))
    assert graph.rewrites == ("o: average pooling in front of it folded into its weights",)
    strided = Linear(Conv(MIXED.weight, PAIRS))
    graph = lowered(("r", RECTIFY, "x"), ("m", strided, "r"), ("f", flat, "m"), ("o", layer, "f"))
    assert graph.rewrites == ("o: the linear map in front of it folded into its weights",)
    assert populations(graph) == [("r", "relu")]


def test_average_pooling_of_signed_values_is_a_linear_population() -> None:
    mean = Linear(Pool(PAIRS, ONE), None, np.array(0.5))
    kernel = Linear(Conv(MIXED.weight[:, :, :1], Window.plain((1,))))
    graph = lowered(
        ("n", NORM, "x"), ("m", mean, "n"), ("y", kernel, "m"), ("z", Activate(Sigmoid()), "y"), ("o", NORM, "z")
    )
    assert populations(graph) == [("m", "linear"), ("z", "sigmoid")]
    graph = lowered(("r", RECTIFY, "x"), ("m", mean, "r"), ("y", kernel, "m"), ("o", NORM, "y"))
    assert populations(graph) == [("r", "relu"), ("m", "average_pool")]
    summed = ("r", RECTIFY, "x"), ("m", mean, "r"), ("k", mean, "r"), ("s", Add(), "m", "k")
    assert populations(lowered(*summed, ("y", kernel, "s"), ("o", NORM, "y"))) == [("r", "relu"), ("s", "linear")]


def test_stages_that_nothing_reads_are_left_out() -> None:
    graph = lower(ann(("r", RECTIFY, "x"), ("dead", Activate(Sigmoid()), "r"), ("o", NORM, "r")))
    assert populations(graph) == [("r", "relu")]


def test_rewrites_so_far_come_first() -> None:
    graph = ann(("r", RECTIFY, "x"), ("i", Activate(IDENTITY), "r"), ("o", NORM, "i"))
    assert lower(graph, ("first",)).rewrites == ("first", "i: identity changes none of its values, dropped")


def readouts(graph: StageGraph) -> list[tuple[str, str, int]]:
    """Name, function of the host and multiplications of every output."""
    return [(s.name, s.finish, sum(link.macs for link in s.links)) for s in graph.outputs]


def test_several_outputs_have_a_readout_each() -> None:
    """One computed by the host stands before others, a value that is sent is read too, and each layer counts once."""
    layer, macs = Linear(MIXED), MIXED.macs(SHAPE)
    ops = ("r", RECTIFY, "x"), ("y", layer, "r"), ("s", Finish("sigmoid"), "y"), ("t", Finish("tanh"), "y")
    more = (
        ("h", RECTIFY, "r"),
        ("z", layer, "r"),
        ("u", Activate(Sigmoid()), "z"),
        ("w", layer, "u"),
        ("v", RECTIFY, "w"),
    )
    graph = lower(ann(*ops, *more, outputs=("s", "y", "t", "h", "z", "v")))
    assert readouts(graph) == [
        ("y", "sigmoid", macs), ("y.readout", "identity", 0), ("y.readout_2", "tanh", 0),
        ("r.readout", "relu", 0), ("z", "identity", 0), ("w", "relu", macs),
    ]  # fmt: skip
    assert [s.name for s in graph.hidden] == ["r", "u"]
