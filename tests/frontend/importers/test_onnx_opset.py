"""Rewriting of newer operator sets of ONNX: the rewritten model computes what onnx's interpreter says of the other."""

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402

from loihi_onespike.frontend.importers.onnx_opset import NEWEST, lower_opset, opset_of  # noqa: E402

X = np.random.default_rng(0).normal(size=(2, 5, 4)).astype(np.float32)


def model(nodes, constants=(), opset=20, shape=(2, 5, 4)):
    given = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in nodes[-1].output]
    stored = [numpy_helper.from_array(np.array(value), name) for name, value in constants]
    graph = helper.make_graph(nodes, "net", given, outputs, stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)


CASES = {
    "mean": ([helper.make_node("ReduceMean", ["x", "a"], ["y"], keepdims=0)], [("a", [1, -1])]),
    "mean_of_all": ([helper.make_node("ReduceMean", ["x"], ["y"])], []),
    "max": ([helper.make_node("ReduceMax", ["x", "a"], ["y"])], [("a", [2])]),
    "equal_parts": ([helper.make_node("Split", ["x"], ["y", "z"], axis=2, num_outputs=2)], []),
    "unequal_parts": ([helper.make_node("Split", ["x"], ["y", "z"], axis=1, num_outputs=2)], []),
    "pads": ([helper.make_node("Pad", ["x", "p", "", "a"], ["y"])], [("p", [1, 2]), ("a", [-1])]),
    "reshape": ([helper.make_node("Reshape", ["x", "s"], ["y"], allowzero=1)], [("s", [2, -1])]),
    "softplus": (
        [
            helper.make_node("Greater", ["x", "t"], ["g"]),
            helper.make_node("Softplus", ["x"], ["s"]),
            helper.make_node("Where", ["g", "x", "s"], ["y"]),
        ],
        [("t", np.float32(20))],
    ),
}


@pytest.mark.parametrize(("nodes", "constants"), CASES.values(), ids=CASES)
def test_the_same_values(nodes, constants):
    made = model([onnx.NodeProto.FromString(n.SerializeToString()) for n in nodes], constants)
    expected = ReferenceEvaluator(made).run(None, {"x": X})
    assert lower_opset(made) == set() and opset_of(made) == NEWEST
    for found, wanted in zip(ReferenceEvaluator(made).run(None, {"x": X}), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-6)
    assert not any(n.op_type == "Where" for n in made.graph.node)


def test_an_operation_without_an_older_form_is_reported():
    assert lower_opset(model([helper.make_node("Gelu", ["x"], ["y"])])) == {"y"}
    unknown = model([helper.make_node("Split", ["x"], ["y", "z"], axis=1, num_outputs=2)], shape=(2, None, 4))
    assert lower_opset(unknown) == {"y"}
    kept = model([helper.make_node("Reshape", ["x", "s"], ["y"], allowzero=1)], [("s", [0, 4])], shape=(0, 4, 5))
    assert lower_opset(kept) == set() and kept.graph.node[0].attribute[0].i == 1


def test_older_models_stay_as_they_are():
    made = model([helper.make_node("Relu", ["x"], ["y"])], opset=16)
    before = made.SerializeToString()
    assert lower_opset(made) == set() and made.SerializeToString() == before
