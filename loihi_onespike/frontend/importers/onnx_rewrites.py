"""Exact rewrites of an ONNX graph, for what onnx2torch does not read.

    Reshape, allowzero = 1   allowzero = 0, where the shape has no 0
    auto_pad = SAME_*        the pads that follow from the size of the input
    uneven pads of pooling   a Pad in front; for averages without the padding, divided by the number of inputs
    Max(a, b)                a + Relu(b - a)
    Min(a, b)                a - Relu(a - b)
    Trilu(x)                 Where(triangle, x, 0), as masks of causal attention are made

Max pooling is padded with 0. This is right for inputs that are not negative and where a ReLU follows, and the front
end refuses all others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import numpy as np

from loihi_onespike.errors import Finding, UnsupportedModelError

FIXED_SIZE = (
    "padding that follows from an input of fixed size",
    "export the network with fixed sizes of its input axes other than the batch, or with explicit pads",
)
REPLACED = ("Trilu",)
"""Operations for which onnx2torch has no converter, and of which none is left."""
TRIANGLE = (
    "triangles of values of fixed size, with a constant diagonal",
    "export the network with fixed sizes of its input axes other than the batch",
)
PADS_OF_CEIL = ("uneven pads with ceil_mode = 0", "export the pooling with even pads, or with ceil_mode = 0")


def rewrite(model: Any) -> None:
    """Rewrite what onnx2torch does not read, in place.

    Args:
        model: an onnx.ModelProto.

    Raises:
        UnsupportedModelError: padding that cannot be resolved; lists all of it.
    """
    _Rewriting(model).run()


class _Rewriting:
    """The rewriting of one graph.

    Args:
        model: the model, which is changed.
    """

    def __init__(self, model: Any) -> None:
        import onnx

        self.model, self.onnx, self.findings = model, onnx, list[Finding]()
        graph = model.graph
        self.constants = {tensor.name: tensor for tensor in graph.initializer}
        for node in graph.node:
            if node.op_type == "Constant" and len(node.attribute) == 1 and node.attribute[0].name == "value":
                self.constants[node.output[0]] = node.attribute[0].t
        inferred = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
        self.values = {v.name: v.type.tensor_type for v in (*inferred.value_info, *inferred.input, *inferred.output)}
        used = {name for node in graph.node for name in (*node.input, *node.output)} | set(self.constants)
        self.fresh: Iterator[str] = (name for i in count() if (name := f"rewritten_{i}") not in used)

    def run(self) -> None:
        rules: dict[str, Callable[[Any], list[Any]]] = {
            "Reshape": self.reshape, "Conv": self.conv, "MaxPool": self.pooling, "AveragePool": self.pooling,
            "Max": self.extremum, "Min": self.extremum, "Trilu": self.triangle,
        }  # fmt: skip
        nodes = [new for node in self.model.graph.node for new in rules.get(node.op_type, lambda n: [n])(node)]
        if self.findings:
            raise UnsupportedModelError(self.findings)
        del self.model.graph.node[:]
        self.model.graph.node.extend(nodes)

    def reshape(self, node: Any) -> list[Any]:
        shape = self.constants.get(node.input[1]) if len(node.input) > 1 else None
        if shape is not None and not (self.onnx.numpy_helper.to_array(shape) == 0).any():
            self._without(node, "allowzero")
        return [node]

    def conv(self, node: Any) -> list[Any]:
        self._explicit_pads(node, self._kernel(node))
        return [node]

    def pooling(self, node: Any) -> list[Any]:
        kernel = self._kernel(node)
        self._explicit_pads(node, kernel)
        pads = self._attribute(node, "pads", [0] * 2 * len(kernel))
        axes = len(pads) // 2
        if pads[:axes] == pads[axes:] or len(node.output) > 1:
            return [node]
        if self._attribute(node, "ceil_mode", 0):
            self._report(node, f"pads {pads} with ceil_mode = 1", PADS_OF_CEIL)
            return [node]
        padded, given, result = next(self.fresh), node.input[0], node.output[0]
        each = self._constant(np.array([0, 0, *pads[:axes], 0, 0, *pads[axes:]], np.int64))
        nodes = [self._node("Pad", [given, each], padded, f"{node.name}.pad"), node]
        node.input[0] = padded
        self._set(node, "pads", [0] * 2 * axes)
        if node.op_type == "AveragePool" and not self._attribute(node, "count_include_pad", 0):
            sizes = self._sizes(given, axes)
            if sizes is None:
                self._report(node, f"pads {pads} of an input of unknown size, which the average leaves out", FIXED_SIZE)
                return nodes
            strides = self._attribute(node, "strides", [1] * axes)
            share = np.ones((1,) * axes)
            for axis, size in enumerate(sizes):
                along = _inside(size, kernel[axis], strides[axis], pads[axis], pads[axes + axis]) / kernel[axis]
                share = share * along.reshape(-1, *(1,) * (axes - 1 - axis))
            node.output[0] = next(self.fresh)
            factor = self._constant((1 / share).astype(np.float32))
            nodes.append(self._node("Mul", [node.output[0], factor], result, f"{node.name}.count"))
        return nodes

    def extremum(self, node: Any) -> list[Any]:
        """Max or Min of two and more real values."""
        known = [self.values[name].elem_type for name in node.output if name in self.values]
        if len(node.input) < 2 or any(kind != self.onnx.TensorProto.FLOAT for kind in known):
            return [node]
        # Constants come first, since the sum then needs no neuron of its own for the other value.
        first, *others = sorted(node.input, key=lambda name: name not in self.constants)
        nodes = []
        for i, other in enumerate(others):
            last = i == len(others) - 1
            less, part, total = next(self.fresh), next(self.fresh), node.output[0] if last else next(self.fresh)
            pair, joined = ([other, first], "Add") if node.op_type == "Max" else ([first, other], "Sub")
            name = node.name if last else f"{node.name}.{i}"
            nodes += [
                self._node("Sub", pair, less, f"{name}.difference"),
                self._node("Relu", [less], part, f"{name}.relu"),
                self._node(joined, [first, part], total, name),
            ]
            first = total
        return nodes

    def triangle(self, node: Any) -> list[Any]:
        """The upper or lower triangle of the last two axes."""
        sizes, kind = self._sizes(node.input[0], 2), getattr(self.values.get(node.input[0]), "elem_type", 0)
        k = self.constants.get(node.input[1]) if len(node.input) > 1 and node.input[1] else None
        computed = len(node.input) > 1 and bool(node.input[1]) and k is None
        if sizes is None or not kind or computed:
            self._report(node, "a diagonal that is computed" if computed else "an input of unknown size", TRIANGLE)
            return [node]
        diagonal = 0 if k is None else int(self.onnx.numpy_helper.to_array(k))
        below = np.subtract.outer(np.arange(sizes[0]), np.arange(sizes[1])) + diagonal  # 0 on the diagonal
        kept = self._constant(below <= 0 if self._attribute(node, "upper", 1) else below >= 0)
        zero = self._constant(np.zeros((), self.onnx.helper.tensor_dtype_to_np_dtype(kind)))
        return [self._node("Where", [kept, node.input[0], zero], node.output[0], node.name)]

    def _explicit_pads(self, node: Any, kernel: list[int]) -> None:
        """Replace auto_pad by pads."""
        auto = self._attribute(node, "auto_pad", b"NOTSET").decode()
        if auto not in ("SAME_UPPER", "SAME_LOWER"):
            return
        sizes = self._sizes(node.input[0], len(kernel))
        if sizes is None or not kernel:
            self._report(node, f"auto_pad = {auto} of an input of unknown size", FIXED_SIZE)
            return
        strides = self._attribute(node, "strides", [1] * len(kernel))
        dilations = self._attribute(node, "dilations", [1] * len(kernel))
        begin, end = [], []
        for size, taps, stride, dilation in zip(sizes, kernel, strides, dilations, strict=True):
            outputs = -(-size // stride)
            total = max((outputs - 1) * stride + (taps - 1) * dilation + 1 - size, 0)
            small, large = total // 2, total - total // 2
            begin.append(small if auto == "SAME_UPPER" else large)
            end.append(large if auto == "SAME_UPPER" else small)
        self._without(node, "auto_pad")
        self._set(node, "pads", [*begin, *end])

    def _kernel(self, node: Any) -> list[int]:
        """Taps per axis; empty where they are not known."""
        given = self._attribute(node, "kernel_shape", None)
        if given is not None:
            return list(given)
        weight = self.constants.get(node.input[1]) if len(node.input) > 1 else None
        return [] if weight is None else list(weight.dims[2:])

    def _sizes(self, name: str, axes: int) -> list[int] | None:
        """Sizes of the last axes of a value; None where one is not known."""
        if name not in self.values:
            return None
        dims = self.values[name].shape.dim[-axes:]
        return [int(d.dim_value) for d in dims] if len(dims) == axes and all(d.dim_value > 0 for d in dims) else None

    def _attribute(self, node: Any, name: str, default: Any) -> Any:
        found = (self.onnx.helper.get_attribute_value(a) for a in node.attribute if a.name == name)
        return next(found, default)

    def _without(self, node: Any, name: str) -> None:
        kept = [a for a in node.attribute if a.name != name]
        del node.attribute[:]
        node.attribute.extend(kept)

    def _set(self, node: Any, name: str, value: list[int]) -> None:
        self._without(node, name)
        node.attribute.append(self.onnx.helper.make_attribute(name, value))

    def _node(self, kind: str, inputs: list[str], output: str, name: str) -> Any:
        return self.onnx.helper.make_node(kind, inputs, [output], name=name)

    def _constant(self, values: Any) -> str:
        name = next(self.fresh)
        self.model.graph.initializer.append(self.onnx.numpy_helper.from_array(values, name))
        return name

    def _report(self, node: Any, found: str, advice: tuple[str, str]) -> None:
        name = node.name or node.output[0]
        self.findings.append(Finding(name, f"ONNX operation {node.op_type} with {found}", "", *advice))


def _inside(size: int, kernel: int, stride: int, begin: int, end: int) -> Any:
    """Number of taps of every window that lie on the input and not on its padding."""
    first = np.arange((size + begin + end - kernel) // stride + 1) * stride - begin
    return np.minimum(first + kernel, size) - np.maximum(first, 0)
