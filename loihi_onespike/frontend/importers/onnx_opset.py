"""ONNX models of newer operator sets, rewritten to the newest set that onnx2torch reads.

Today's `torch.onnx.export` writes operator set 18 and newer. What these sets changed about the operations that are read
here is how a setting is given (an input in place of an attribute) and which types are allowed; nothing is approximated.
An operation that has no older form keeps its place and is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

NEWEST = 17
"""Newest operator set for all of whose operations onnx2torch has converters."""
LARGEST_SETTING = 1000
"""Values of a constant that may be a setting of an operation, and is looked at."""
SOFTPLUS_THRESHOLD = 20
"""Where torch's softplus returns its input."""
ONNX_DOMAINS = ("", "ai.onnx")


def opset_of(model: Any) -> int:
    """Version of the operator set of ONNX itself that a model uses; 0 where it names none."""
    return next((int(entry.version) for entry in model.opset_import if entry.domain in ONNX_DOMAINS), 0)


def lower_opset(model: Any) -> set[str]:
    """Rewrite a model of a newer operator set to NEWEST, in place.

    Args:
        model: ModelProto, already checked.

    Returns:
        The first output of every node that has no form in that set.
    """
    from onnx import checker, inliner, shape_inference

    if opset_of(model) <= NEWEST:
        return set()
    if model.functions:
        model.CopyFrom(inliner.inline_local_functions(model))
    facts = _Facts.of(model, shape_inference.infer_shapes(model))
    _rejoin_softplus(model, facts)
    for node in model.graph.node:
        if node.domain in ONNX_DOMAINS and node.op_type in _REWRITES:
            _REWRITES[node.op_type](node, facts)
    for entry in model.opset_import:
        if entry.domain in ONNX_DOMAINS:
            entry.version = NEWEST
    context = checker.C.CheckerContext()
    context.ir_version = model.ir_version
    context.opset_imports = {entry.domain: entry.version for entry in model.opset_import}
    left = set()
    for node in model.graph.node:
        try:
            checker.check_node(node, context)
        except checker.ValidationError:
            left.add(node.output[0])
    model.graph.initializer.extend(facts.added)
    return left


@dataclass(frozen=True)
class _Facts:
    """What is known of the values of a graph.

    Attributes:
        constants: values that are the same in every run, by name.
        shapes: sizes of values by name, None for those that are not fixed.
        added: constants that a rewrite needs.
    """

    constants: Mapping[str, NDArray[Any]]
    shapes: Mapping[str, tuple[int | None, ...]]
    added: list[Any]

    @classmethod
    def of(cls, model: Any, inferred: Any) -> _Facts:
        from onnx import numpy_helper

        constants = {t.name: t for t in model.graph.initializer}
        small = {name: t for name, t in constants.items() if np.prod(t.dims) <= LARGEST_SETTING}
        found = {name: numpy_helper.to_array(t) for name, t in small.items()}
        for node in model.graph.node:
            if node.op_type == "Constant" and node.attribute:
                given = node.attribute[0]
                if given.name == "value":
                    found[node.output[0]] = numpy_helper.to_array(given.t)
                elif given.name in ("value_int", "value_ints"):
                    found[node.output[0]] = np.array(given.i if given.name == "value_int" else list(given.ints))
        shapes: dict[str, tuple[int | None, ...]] = {name: tuple(t.dims) for name, t in constants.items()}
        for value in (*inferred.graph.input, *inferred.graph.value_info, *inferred.graph.output):
            kind = value.type.tensor_type
            if kind.HasField("shape"):
                shapes[value.name] = tuple(d.dim_value if d.HasField("dim_value") else None for d in kind.shape.dim)
        return cls(found, shapes, [])

    def constant(self, name: str, values: NDArray[Any]) -> str:
        """Add a constant; returns its name."""
        from onnx import numpy_helper

        self.added.append(numpy_helper.from_array(values, name))
        return name


def _axes_to_attribute(node: Any, facts: _Facts) -> None:
    """Reductions of set 18: axes are an input."""
    from onnx import helper

    if len(node.input) > 1 and node.input[1]:
        axes = facts.constants.get(node.input[1])
        if axes is None:
            return
        node.attribute.append(helper.make_attribute("axes", [int(a) for a in np.atleast_1d(axes)]))
    elif _attribute(node, "noop_with_empty_axes", 0):
        return
    del node.input[1:]
    _drop(node, "noop_with_empty_axes")


def _split_sizes(node: Any, facts: _Facts) -> None:
    """Split of set 18: a number of parts in place of their sizes; the last one is smaller where they are not equal."""
    parts = _attribute(node, "num_outputs", 0)
    if not parts:
        return
    shape, axis = facts.shapes.get(node.input[0]), _attribute(node, "axis", 0)
    size = None if shape is None else shape[axis]
    if size is None:
        return
    each = -(-size // parts)
    sizes = np.array([each] * (parts - 1) + [size - each * (parts - 1)], np.int64)
    del node.input[1:]
    node.input.append(facts.constant(f"{node.output[0]}.sizes", sizes))
    _drop(node, "num_outputs")


def _all_pads(node: Any, facts: _Facts) -> None:
    """Pad of set 18: pads of some axes."""
    if len(node.input) < 4 or not node.input[3]:
        del node.input[3:]
        return
    axes, pads = facts.constants.get(node.input[3]), facts.constants.get(node.input[1])
    shape = facts.shapes.get(node.input[0])
    if axes is None or pads is None or shape is None:
        return
    every, half = np.zeros(2 * len(shape), np.int64), len(pads) // 2
    for i, axis in enumerate(int(a) % len(shape) for a in axes):
        every[axis], every[len(shape) + axis] = pads[i], pads[half + i]
    node.input[1] = facts.constant(f"{node.output[0]}.pads", every)
    del node.input[3:]


def _zeros_copy(node: Any, facts: _Facts) -> None:
    """Reshape of set 14: allowzero only matters where the shape has a 0, and no value here is empty."""
    shape = facts.constants.get(node.input[1])
    if shape is None or not np.any(shape == 0):
        _drop(node, "allowzero")


def _defaults(**usual: object) -> Callable[[Any, _Facts], None]:
    """Drop attributes that newer sets added, where they say what older sets do."""

    def rewrite(node: Any, facts: _Facts) -> None:
        for name, value in usual.items():
            found = _attribute(node, name, value)
            if found == value or (isinstance(found, list) and all(v == value for v in found)):
                _drop(node, name)

    return rewrite


def _rejoin_softplus(model: Any, facts: _Facts) -> None:
    """Where(x > c, x, Softplus(x)) with c ≥ 20, as torch's exporter writes softplus, is Softplus(x) within 3e-9."""
    made_by = {node.output[0]: node for node in model.graph.node}
    for node in model.graph.node:
        above, smooth = (made_by.get(node.input[i]) if node.op_type == "Where" else None for i in (0, -1))
        if above is None or smooth is None or (above.op_type, smooth.op_type) != ("Greater", "Softplus"):
            continue
        limit, x = facts.constants.get(above.input[1]), node.input[1]
        if limit is not None and np.min(limit) >= SOFTPLUS_THRESHOLD and x == above.input[0] == smooth.input[0]:
            node.op_type = "Softplus"
            node.input[:] = [x]


def _attribute(node: Any, name: str, default: Any) -> Any:
    from onnx import helper

    return next((helper.get_attribute_value(a) for a in node.attribute if a.name == name), default)


def _drop(node: Any, name: str) -> None:
    for i in reversed(range(len(node.attribute))):
        if node.attribute[i].name == name:
            del node.attribute[i]


_REDUCTIONS = ("L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "SumSquare")
_REWRITES: Mapping[str, Callable[[Any, _Facts], None]] = {
    **{f"Reduce{name}": _axes_to_attribute for name in _REDUCTIONS},
    "AveragePool": _defaults(dilations=1),
    "Cast": _defaults(saturate=1),
    "Pad": _all_pads,
    "Reshape": _zeros_copy,
    "Resize": _defaults(antialias=0, keep_aspect_ratio_policy=b"stretch"),
    "Split": _split_sizes,
}
