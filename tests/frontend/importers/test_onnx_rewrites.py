"""ONNX operations that onnx2torch does not read give the same values after the rewriting, compared with onnx itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnx2torch")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402

import loihi_onespike as los  # noqa: E402
from loihi_onespike.errors import UnsupportedModelError  # noqa: E402
from loihi_onespike.frontend import trace  # noqa: E402
from loihi_onespike.frontend.importers.onnx import onnx_module  # noqa: E402
from tests.support.ann_eval import evaluate  # noqa: E402

SIZE = (6, 5)
X = np.random.default_rng(0).standard_normal((2, 2, *SIZE)).astype(np.float32)
node = helper.make_node


def model_of(nodes: list[Any], opset: int = 17, size: tuple[Any, ...] = SIZE, **constants: Any) -> Any:
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 2, *size])
    rank = 2 if nodes[-1].op_type in ("Reshape", "ReduceMean", "ReduceMax") else 4
    made = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", *list("abc")[: rank - 1]])
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "net", [given], [made], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def found(model: Any, folder: Path) -> Any:
    onnx.save(model, folder / "net.onnx")
    return onnx_module(folder / "net.onnx")(torch.from_numpy(X)).detach().numpy()


def expected(model: Any) -> Any:
    outputs: Any = ReferenceEvaluator(model).run(None, {"x": X})
    return outputs[0]


def same_pads(auto: str, kernel: int, stride: int) -> list[int]:
    """Pads by the definition: ceil(size / stride) outputs, an odd place at the end or (LOWER) the beginning."""
    pairs = []
    for size in SIZE:
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        pairs.append((total // 2, total - total // 2)[:: 1 if auto == "SAME_UPPER" else -1])
    return [pair[0] for pair in pairs] + [pair[1] for pair in pairs]


def pooling(kind: str, **attributes: Any) -> list[Any]:
    return [node("Relu", ["x"], ["r"]), node(kind, ["r"], ["y"], name="pool", **attributes)]


def by_definition(kind: str, shape: dict[str, Any], weight: Any, counted: bool = False) -> Any:
    """Conv or pooling of X, window by window; onnx's own evaluation of uneven pads of MaxPool is not right."""
    kernel, stride, pads = shape["kernel_shape"], shape["strides"], shape["pads"]
    x = X if kind == "Conv" else np.maximum(X, 0)
    around = ((0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3]))
    x = np.pad(x, around, constant_values=0 if kind == "Conv" or counted else np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(x, tuple(kernel), axis=(2, 3))  # type: ignore[call-overload]
    windows = windows[:, :, :: stride[0], :: stride[1]]
    if kind == "Conv":
        return np.einsum("ncyxij,ocij->noyx", windows, weight)
    taken: Any = np.nanmax if kind == "MaxPool" else np.nanmean
    return taken(windows, axis=(4, 5))


@pytest.mark.parametrize("auto", ["SAME_UPPER", "SAME_LOWER"])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kernel", [2, 3])
def test_auto_pad_is_resolved(kernel: int, stride: int, auto: str, tmp_path: Path) -> None:
    shape: dict[str, Any] = {"strides": [stride] * 2, "kernel_shape": [kernel] * 2}
    weight = np.random.default_rng(1).standard_normal((3, 2, kernel, kernel)).astype(np.float32)
    padded = {**shape, "pads": same_pads(auto, kernel, stride)}
    for kind, nodes, counted in (
        ("MaxPool", pooling("MaxPool", **shape, auto_pad=auto), False),
        ("AveragePool", pooling("AveragePool", **shape, auto_pad=auto), False),
        ("AveragePool", pooling("AveragePool", count_include_pad=1, **shape, auto_pad=auto), True),
        ("Conv", [node("Conv", ["x", "w"], ["y"], strides=[stride] * 2, auto_pad=auto)], False),
    ):
        right = by_definition(kind, padded, weight, counted)
        np.testing.assert_allclose(found(model_of(nodes, w=weight), tmp_path), right, atol=1e-5)


@pytest.mark.parametrize("kind", ["MaxPool", "AveragePool"])
def test_uneven_pads_of_pooling(kind: str, tmp_path: Path) -> None:
    shape = {"kernel_shape": [3, 2], "strides": [2, 1], "pads": [0, 1, 1, 0]}
    right = by_definition(kind, shape, None)
    np.testing.assert_allclose(found(model_of(pooling(kind, **shape)), tmp_path), right, atol=1e-6)


@pytest.mark.parametrize("kind", ["Max", "Min"])
@pytest.mark.parametrize("inputs", ["x half", "half x", "x n", "x each half", "x n each"])
def test_extrema(kind: str, inputs: str, tmp_path: Path) -> None:
    nodes = [node("Neg", ["x"], ["n"]), node(kind, inputs.split(), ["y"], name="m")]
    each = np.array([-0.5, 1], np.float32).reshape(2, 1, 1)
    model = model_of(nodes, half=np.float32(0.5), each=each)
    np.testing.assert_allclose(found(model, tmp_path), expected(model), atol=1e-6)


@pytest.mark.parametrize("upper", [0, 1])
@pytest.mark.parametrize("k", [None, -1, 2])
def test_triangles(upper: int, k: int | None, tmp_path: Path) -> None:
    constants: dict[str, Any] = {} if k is None else {"k": np.array(k)}
    model = model_of([node("Trilu", ["x", *constants], ["y"], upper=upper)], **constants)
    np.testing.assert_array_equal(found(model, tmp_path), expected(model))


@pytest.mark.parametrize(
    ("nodes", "size", "said"),
    [
        ([node("Trilu", ["x"], ["y"], name="mask")], ("H", "W"), "mask: .*Trilu with an input of unknown size"),
        (
            [node("Identity", ["one"], ["k"]), node("Trilu", ["x", "k"], ["y"], name="mask")],
            SIZE,
            "mask: .*Trilu with a diagonal that is computed",
        ),
    ],
)
def test_triangles_that_are_not_fixed(nodes: list[Any], size: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModelError, match=said):
        found(model_of(nodes, size=size, one=np.array(1)), tmp_path)


@pytest.mark.parametrize("opset", [17, 20])
def test_a_shape_that_may_contain_zeros(opset: int, tmp_path: Path) -> None:
    model = model_of([node("Reshape", ["x", "s"], ["y"], allowzero=1)], opset, s=np.array([-1, 60]))
    np.testing.assert_array_equal(found(model, tmp_path), expected(model))


@pytest.mark.parametrize(
    ("nodes", "size", "said"),
    [
        (pooling("MaxPool", kernel_shape=[2, 2], auto_pad="SAME_UPPER"), ("H", "W"), "pool: .*of unknown size"),
        (pooling("MaxPool", kernel_shape=[2, 2], pads=[0, 0, 1, 1], ceil_mode=1), SIZE, "pool: .*ceil_mode = 1"),
        (pooling("AveragePool", kernel_shape=[2, 2], pads=[0, 0, 1, 1]), ("H", "W"), "pool: .*of unknown size"),
    ],
)
def test_padding_that_cannot_be_resolved(nodes: list[Any], size: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModelError, match=said):
        found(model_of(nodes, size=size), tmp_path)


def test_max_pooling_of_negative_values_stays_refused(tmp_path: Path) -> None:
    """The padding with 0 would be wrong there."""
    nodes = [
        node("MaxPool", ["x"], ["p"], kernel_shape=[2, 2], pads=[0, 0, 1, 1]),
        node("Conv", ["p", "w"], ["c"]),
        node("Relu", ["c"], ["r"]),
        node("Conv", ["r", "w"], ["y"]),
    ]
    onnx.save(model_of(nodes, w=np.ones((2, 2, 1, 1), np.float32)), tmp_path / "net.onnx")
    with pytest.raises(UnsupportedModelError, match="max pooling of values that may be negative"):
        los.convert(tmp_path / "net.onnx", X)


def test_the_maximum_over_an_axis_has_no_indices(tmp_path: Path) -> None:
    model = model_of([node("Relu", ["x"], ["r"]), node("ReduceMax", ["r"], ["m"], axes=[1]), node("Neg", ["m"], ["y"])])
    onnx.save(model, tmp_path / "net.onnx")
    graph = trace(onnx_module(tmp_path / "net.onnx"), torch.from_numpy(X))
    np.testing.assert_allclose(evaluate(graph, X), expected(model), rtol=1e-6)
