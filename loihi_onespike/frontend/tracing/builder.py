"""Collects the nodes of an `AnnGraph` while a model is traced, including those that cannot be converted.

An operation without a one-spike form becomes a placeholder with its `Finding`, and tracing continues, so that one run
lists everything. Only findings on which the output depends are raised.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.encoding import softmax_axis
from loihi_onespike.core.graphs.ann import Activate, AnnGraph, AnnOp, Finish, Input, Linear, Node, Reindex
from loihi_onespike.core.graphs.output_form import OutputForm
from loihi_onespike.core.graphs.verify_ann import verify_ann
from loihi_onespike.core.maps import LinearMap, Shape
from loihi_onespike.errors import Finding, UnsupportedModelError
from loihi_onespike.frontend.tracing import support
from loihi_onespike.frontend.tracing.batch_axis import IN_FRONT, BatchAxis
from loihi_onespike.frontend.tracing.silent_channels import without_infinite_biases
from loihi_onespike.frontend.tracing.value_bounds import KnownRange, bounds_of

Mask: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True)
class Value:
    """A traced tensor in the graph.

    Attributes:
        node: name of the node that computes it.
        shape: shape of one sample.
        batch: where the batch is in the tensor.
    """

    node: str
    shape: Shape
    batch: BatchAxis = IN_FRONT


@dataclass(frozen=True)
class Softmax:
    """A softmax by neurons: y = exponentials · reciprocal, repeated along an axis.

    Attributes:
        exponentials: e^x, 0 at masked places.
        reciprocal: 1 / Σ of them, of length 1 along the axis.
        axis: axis of the sample along which the sum goes.
    """

    exponentials: Value
    reciprocal: Value
    axis: int


@dataclass(frozen=True, eq=False)
class _Draft:
    """A node, or with op None a placeholder. `tainted`: it, or something before it, has no one-spike form."""

    name: str
    op: AnnOp | None
    inputs: tuple[str, ...]
    shape: Shape
    source: str
    finding: Finding | None
    tainted: bool


class GraphBuilder:
    """Nodes in the order of tracing, names unique."""

    def __init__(self) -> None:
        self._drafts: dict[str, _Draft] = {}
        self._masks: dict[str, tuple[Value, Mask]] = {}  # placeholders with minus infinity at some places
        self._softmaxes: dict[str, Softmax] = {}
        self._inside: dict[str, Value] = {}  # what the host would finish, as neurons compute it
        self._notes: list[tuple[str, str]] = []  # (name of the node, text)
        self.hard_findings: list[Finding] = []
        """Findings that count whether or not the output depends on them."""

    def add(self, name: str, op: AnnOp, inputs: Sequence[Value], shape: Shape, source: str) -> Value:
        """Append a node; `name` gets a number when it is taken.

        Args:
            name: name of the node.
            op: operation.
            inputs: values that it reads.
            shape: shape of the result without the batch.
            source: line of the user's code.
        """
        if not isinstance(op, Reindex):
            inputs = [self._by_neurons(value) for value in inputs]
        return self._append(name, op, inputs, shape, source, None)

    def add_reindex(self, name: str, value: Value, index: NDArray[np.integer], source: str) -> Value:
        """Append a gather, merged with a gather directly in front of it; a gather that changes nothing is left out.

        Args:
            name: name of the node.
            value: value that is gathered.
            index: index into the flat value, -1 for zero.
            source: line of the user's code.
        """
        before = self._drafts[value.node]
        if isinstance(before.op, Reindex):
            flat = np.append(before.op.index.ravel(), np.int32(-1))  # index -1 reads the entry at the end, -1 again
            merged = _by_places(index, lambda places: flat[places])
            origin = self._drafts[before.inputs[0]]
            return self._gather(name, Value(origin.name, origin.shape), merged, source)
        return self._gather(name, value, index, source)

    def _gather(self, name: str, value: Value, index: NDArray[np.integer], source: str) -> Value:
        if index.shape == value.shape and np.array_equal(index.ravel(), np.arange(index.size)):
            return value
        narrow = _by_places(index, lambda places: places.astype(np.int32))
        return self.add(name, Reindex(narrow), [value], index.shape, source)

    def add_refused(
        self, name: str, inputs: Sequence[Value], shape: Shape, source: str, finding: Finding | None
    ) -> Value:
        """Append a placeholder for something without a one-spike form.

        Args:
            name: name of the node.
            inputs: values that it reads.
            shape: shape of the result without the batch.
            source: line of the user's code.
            finding: what cannot be converted; None where that is reported elsewhere.
        """
        return self._append(name, None, inputs, shape, source, finding)

    def add_masked(self, name: str, value: Value, mask: Mask, source: str, finding: Finding) -> Value:
        """Append a placeholder for a value with minus infinity at some places, which only a softmax reads.

        Args:
            name: name of the node.
            value: the finite value.
            mask: the places, in the shape of the value.
            source: line of the user's code.
            finding: reported where anything else reads it.
        """
        placeholder = self.add_refused(name, [value], value.shape, source, finding)
        self._masks[placeholder.node] = (value, mask)
        return placeholder

    def mask_of(self, value: Value) -> tuple[Value, Mask] | None:
        """The finite value and the places of a placeholder of `add_masked`; None for any other value."""
        return self._masks.get(value.node)

    def add_softmax(self, value: Value, softmax: Softmax, inside: Value) -> None:
        """Note that a value is a softmax.

        Args:
            value: the node that stands for it, a `Finish` where the host can compute it.
            softmax: its parts.
            inside: the value by neurons, which everything but an output reads.
        """
        self._softmaxes[value.node] = self._softmaxes[inside.node] = softmax
        if inside != value:
            self._inside[value.node] = inside

    def softmax_of(self, value: Value) -> Softmax | None:
        """The parts of a softmax, None for any other value."""
        return self._softmaxes.get(value.node)

    def _by_neurons(self, value: Value) -> Value:
        """The value as neurons compute it, where the host would otherwise finish it."""
        draft = self._drafts[value.node]
        if value.node not in self._inside and isinstance(draft.op, Reindex) and draft.inputs[0] in self._inside:
            inner = self._inside[draft.inputs[0]]
            self._inside[value.node] = self.add_reindex(draft.name, inner, draft.op.index, draft.source)
        return self._inside.get(value.node, value)

    def read(self, value: Value) -> tuple[AnnOp | None, tuple[Value, ...]]:
        """The operation that gives a value, and the values that it reads."""
        draft = self._drafts[value.node]
        return draft.op, tuple(Value(name, self._drafts[name].shape) for name in draft.inputs)

    def add_note(self, value: Value, text: str) -> None:
        """Tell the user of an exact rewrite; reported where the output depends on `value`."""
        self._notes.append((value.node, text))

    def is_tainted(self, values: Sequence[Value]) -> bool:
        """Whether any of the values depends on something without a one-spike form."""
        return any(self._drafts[value.node].tainted for value in values)

    def bounds(self, value: Value) -> KnownRange:
        """What the operations before it say of the sign and the size of a value."""
        return bounds_of(value.node, lambda name: (self._drafts[name].op, self._drafts[name].inputs))

    def findings(self, asked: Sequence[str], where: str) -> list[Finding]:
        """Findings of a trace that ended at a line of the user's code, where Python asked for values of activations.

        These are all findings so far, except those of operations on the same line that only compute the values: in
        `if (x > 1).any()` the control flow is reported, and not `>` or `any`.

        Args:
            asked: nodes whose values were asked for.
            where: line of the user's code.
        """
        leading: set[str] = set()
        pending = list(asked)
        while pending:
            draft = self._drafts[pending.pop()]
            if draft.op is None and draft.source == where:
                leading.add(draft.name)
                pending += draft.inputs
        drafts = [d for d in self._drafts.values() if d.name not in leading]
        return self.hard_findings + [d.finding for d in drafts if d.finding is not None]

    def finish(self, name: str, outputs: Sequence[Value], form: OutputForm | None = None) -> AnnGraph:
        """The graph of what the outputs depend on; raises UnsupportedModelError with all findings in it.

        Args:
            name: name of the model.
            outputs: different values of the graph, in the order of their numbers.
            form: what the model returns around them; None for one output.
        """
        live = self._live(outputs)
        findings = self.hard_findings + [d.finding for d in live if d.finding is not None]
        findings += [output.batch.finding for output in outputs if output.batch.finding is not None]
        nodes = tuple(Node(d.name, d.op, d.inputs, d.shape, d.source) for d in live if d.op is not None)
        names = [output.node for output in outputs]
        for i, output in enumerate(outputs):
            nodes, names[i] = finish_on_host(nodes, output.node)
        nodes, infinite = without_infinite_biases(nodes, names)
        findings += infinite
        read = {pre for node in nodes for pre in node.inputs}
        inside = (node for node in nodes if node.name in read or node.name not in names)
        findings += [_finish_inside(node) for node in inside if isinstance(node.op, Finish)]
        findings += [_empty(node) for node in nodes if 0 in node.shape and not isinstance(node.op, Reindex)]
        if findings:
            raise UnsupportedModelError(findings)
        kept = {node.name for node in nodes}
        notes = dict.fromkeys(text for node, text in self._notes if node in kept)
        return verify_ann(AnnGraph(name, nodes, tuple(notes), () if form is None else tuple(names), form))

    def _live(self, outputs: Sequence[Value]) -> list[_Draft]:
        wanted = {output.node for output in outputs}
        for draft in reversed(self._drafts.values()):
            if draft.name in wanted:
                wanted.update(draft.inputs)
        # The input stays even where a constant output does not read it: a graph has one.
        return [d for d in self._drafts.values() if d.name in wanted or isinstance(d.op, Input)]

    def linear_map(self, value: Value) -> tuple[LinearMap, Value] | None:
        """The linear map that computes a value, and its input; None where anything else computes it.

        Args:
            value: a value of this graph.
        """
        draft = self._drafts[value.node]
        if not isinstance(draft.op, Linear) or draft.op.bias is not None or draft.op.scale is not None:
            return None
        before = draft.inputs[0]
        return draft.op.op, Value(before, self._drafts[before].shape)

    def _append(
        self,
        name: str,
        op: AnnOp | None,
        inputs: Sequence[Value],
        shape: Shape,
        source: str,
        finding: Finding | None,
    ) -> Value:
        name = name.replace("/", ".")  # ONNX names its nodes like folders; a file of ours has folders of its own
        unique, count = name, 0
        while unique in self._drafts:
            count += 1
            unique = f"{name}_{count}"
        if finding is not None:
            finding = Finding(unique, finding.found, finding.where, finding.supported, finding.remedy)
        tainted = op is None or self.is_tainted(inputs)
        names = tuple(value.node for value in inputs)
        self._drafts[unique] = _Draft(unique, op, names, tuple(shape), source, finding, tainted)
        return Value(unique, tuple(shape))


def _by_places(index: NDArray[np.integer], function: Callable[[NDArray[np.integer]], Any]) -> NDArray[Any]:
    """An elementwise function of an index; a repeated index stays a view, since those of attention are large."""
    once = tuple(slice(0, 1) if stride == 0 else slice(None) for stride in index.strides)
    return np.broadcast_to(function(index[once]), index.shape)


def _finish_inside(node: Node) -> Finding:
    assert isinstance(node.op, Finish)
    kind = "log_softmax" if node.op.kind.startswith("log_") else "softmax"
    advice = support.advice_for(kind)
    return Finding(node.name, f"{kind} that is not the last operation", node.source, *advice.texts)


def _empty(node: Node) -> Finding:
    return Finding(
        node.name, f"a result without values, of shape {node.shape}", node.source, *support.advice_for("empty").texts
    )


def finish_on_host(nodes: tuple[Node, ...], output: str) -> tuple[tuple[Node, ...], str]:
    """The nodes, where a sigmoid, tanh or softmax that only rearrangements follow is a `Finish`, and the output's name.

    An elementwise function commutes with any gather without padding; softmax commutes only with a reshape that keeps
    its axis.

    Args:
        nodes: nodes in topological order.
        output: name of the node that is the output; nothing else may read it or what is between it and the function.
    """
    by_name = {node.name: node for node in nodes}
    readers = Counter(pre for node in nodes for pre in node.inputs)
    followers: list[Node] = []
    node = by_name.get(output)
    while node is not None and isinstance(node.op, Reindex):
        followers.insert(0, node)
        node = by_name.get(node.inputs[0])
    kind = None if node is None else _kind(node, followers)
    alone = not readers[output] and all(readers[n.inputs[0]] == 1 for n in followers)
    if node is None or kind is None or not alone:
        return nodes, output
    if not followers:
        return tuple(replace(n, op=Finish(kind)) if n is node else n for n in nodes), output
    last = replace(node, op=Finish(kind), inputs=(followers[-1].name,), shape=followers[-1].shape)
    first = replace(followers[0], inputs=node.inputs)
    kept = [first if n is followers[0] else n for n in nodes if n is not node]
    return (*kept, last), last.name


def _kind(node: Node, followers: list[Node]) -> str | None:
    """Name of the function if `node` commutes with its followers and the host can compute it, otherwise None."""
    indices = [follower.op.index for follower in followers if isinstance(follower.op, Reindex)]
    if isinstance(node.op, Activate) and node.op.function.left_to_host:
        return node.op.function.name if all(index.min() >= 0 for index in indices) else None
    if isinstance(node.op, Finish):
        axis = softmax_axis(node.op.kind)
        own = slice(-1, None) if axis == -1 else slice(axis)  # this axis of the sample, and those in front of it
        reshapes = all(
            index.shape[own] == node.shape[own] and np.array_equal(index.ravel(), np.arange(index.size))
            for index in indices
        )
        return node.op.kind if reshapes else None
    return None
