"""Pass ANN → stages, which decides where there are neurons (docs/arithmetic.md, The neuron).

Every activation becomes a population, and max pooling a population of neurons that pass on the first spike.
Convolutions, batch norm, additions, concatenations and rearrangements become synapses and biases of the populations
that read them. A linear value that the next linear map cannot absorb (average pooling before a convolution) becomes a
population of its own.
"""

from __future__ import annotations

from dataclasses import replace
from functools import singledispatchmethod
from itertools import chain, count

import numpy as np

from loihi_onespike.conversion.lowering.absorb import FOLDING, absorb, map_constant
from loihi_onespike.conversion.lowering.expression import (
    ONE,
    ZERO,
    Expression,
    Term,
    affine,
    concatenated,
    inverse_of,
    is_identity,
    plus,
    reindex,
    shared_axes,
    total,
)
from loihi_onespike.core.activations import IDENTITY, RELU, Activation
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
from loihi_onespike.core.graphs.stage import AnyStage, InputStage, Link, OutputStage, Stage, StageGraph
from loihi_onespike.core.graphs.verify_stage import verify_stage
from loihi_onespike.core.maps import Diagonal, Pool, Shape
from loihi_onespike.core.maps.shapes import aligned, shrink
from loihi_onespike.errors import Finding, UnsupportedModelError


def lower(graph: AnnGraph, rewrites: tuple[str, ...] = ()) -> StageGraph:
    """Stages of an ANN graph.

    Args:
        graph: the ANN.
        rewrites: a line per rewrite so far, which the report shows first.

    Raises:
        UnsupportedModelError: operations cannot be converted, or there is no activation at all; all are listed.
    """
    return _Lowering(graph, rewrites).run()


class _Lowering:
    def __init__(self, graph: AnnGraph, rewrites: tuple[str, ...]) -> None:
        self.graph = graph
        self.stages: list[AnyStage] = []
        self.shapes: dict[str, Shape] = {}
        self.values: dict[str, Expression] = {}
        self.findings: list[Finding] = []
        self.rewrites = list(rewrites)

    def run(self) -> StageGraph:
        # What the host computes of an output: the node that it reads, and the function.
        of_host = {node.name: _finish(node) for node in self.graph.outputs if not self.graph.consumers[node.name]}
        left_to_host = {name for name, finish in of_host.items() if finish != "identity"}
        read: dict[str, tuple[Node, Expression]] = {}
        for node in self.graph.nodes:
            if node.name in left_to_host:
                (value,) = node.inputs
                read[node.name] = read[value]
                continue
            self.values[node.name] = self.lower(node.op, node)
            read[node.name] = node, self.values[node.name]
            readers = [n for n in self.graph.consumers[node.name] if n not in left_to_host]
            if len(readers) > 1 and not self.values[node.name].is_copy:
                self.as_stage(node.name)
        if not self.findings and not any(isinstance(s, Stage) for s in self.stages):
            self.findings.append(_no_neurons(self.graph))
        if self.findings:
            raise UnsupportedModelError(self.findings)
        counted: set[str] = set()
        for node in self.graph.outputs:
            source, e = read[node.name]
            if source.name in counted or set(self.graph.consumers[source.name]) - left_to_host:
                e = replace(e, terms=tuple(replace(t, macs=0) for t in e.terms))  # another stage computes it too
            counted.add(source.name)
            self.stages.append(self.output_stage(source, e, of_host.get(node.name, "identity")))
        return verify_stage(StageGraph(self.graph.name, _live(self.stages), tuple(self.rewrites)))

    def add_stage(self, node: Node, kind: str, e: Expression, activation: Activation) -> Expression:
        """Add a population that computes f of `e` before its outer gather; returns the expression that reads it."""
        links = tuple(self.link(t, e.inner_shape) for t in e.terms)
        # Scale factors of a degree, such as 1 / z, have a range of their own in every neuron.
        shared = () if activation.relative and activation.degree is not None else e.shared
        self.stages.append(
            Stage(node.name, e.inner_shape, kind, links, shrink(e.constant), activation, shared, node.source)
        )
        self.shapes[node.name] = e.inner_shape
        plain = Expression((Term(node.name),), ZERO, e.inner_shape, shared, None, activation.nonnegative)
        return plain if e.outer is None else reindex(plain, e.outer, shared_axes(e.outer.shape, e.shared))

    def add_product(self, node: Node, factors: tuple[Expression, Expression]) -> Expression:
        """Add a population of products of two values that are not rearranged; returns the expression that reads it."""
        links = tuple(replace(self.link(t, node.shape), factor=i) for i, e in enumerate(factors) for t in e.terms)
        nonnegative = node.inputs[0] == node.inputs[1] or all(e.nonnegative for e in factors)
        shared = max((e.shared for e in factors), key=len)
        biases = (shrink(factors[0].constant), shrink(factors[1].constant))
        activation = RELU if nonnegative else IDENTITY
        plain = Stage(node.name, node.shape, "product", links, ZERO, activation, shared, node.source)
        self.stages.append(replace(plain, factor_biases=biases))
        self.shapes[node.name] = node.shape
        return Expression((Term(node.name),), ZERO, node.shape, shared, None, nonnegative)

    def as_stage(self, name: str) -> Expression:
        """Give the value of an ANN node a population of its own, so that any map can read it."""
        e = self.values[name]
        if not e.is_copy:
            pooling = len(e.terms) == 1 and isinstance(e.terms[0].op, Pool)
            kind = "average_pool" if pooling and e.nonnegative else "linear"
            self.values[name] = self.add_stage(self.graph.by_name[name], kind, e, _carrier(e))
        return self.values[name]

    def link(self, term: Term, shape: Shape) -> Link:
        index = term.index
        if index is not None and is_identity(index, self.shapes[term.stage]):
            index = None
        if term.op is None:
            return Link(term.stage, Diagonal(aligned(term.scale, shape)), index, ONE, 0)
        return Link(term.stage, term.op, index, shrink(term.scale), term.macs)

    def output_stage(self, node: Node, e: Expression, finish: str) -> OutputStage:
        """The readout of the value `e` of a node: analog, even where a population also sends this value."""
        links = tuple(self.link(t, e.inner_shape) for t in e.terms)
        names = chain((node.name, f"{node.name}.readout"), (f"{node.name}.readout_{i}" for i in count(2)))
        taken = {stage.name for stage in self.stages}
        name = next(name for name in names if name not in taken)
        return OutputStage(name, e.inner_shape, links, shrink(e.constant), finish, e.outer, node.source)

    @singledispatchmethod
    def lower(self, op: AnnOp, node: Node) -> Expression:
        raise TypeError(f"no rule for {type(op).__name__}")

    @lower.register
    def _(self, op: Input, node: Node) -> Expression:
        self.stages.append(InputStage(node.name, node.shape))
        self.shapes[node.name] = node.shape
        return Expression((Term(node.name),), ZERO, node.shape, shared_axes(node.shape))

    @lower.register
    def _(self, op: Linear, node: Node) -> Expression:
        (read,) = node.inputs
        e = self.values[read]
        fold = FOLDING.find(op.op)
        if fold is not None and not e.is_copy:
            folded = fold(op.op, e, self.shapes)
            if folded is not None:
                what = "average pooling" if any(isinstance(t.op, Pool) for t in e.terms) else "the linear map"
                self.rewrites.append(f"{node.name}: {what} in front of it folded into its weights")
                return plus(folded, op.bias)
        if not e.is_copy:
            e = self.as_stage(read)
        terms = [absorb(op.op, term, e.shape, op.macs) for term in e.terms]
        if any(t is None for t in terms):
            e = self.own_stage(read, e)
            terms = [absorb(op.op, term, e.shape, op.macs) for term in e.terms]
        scale = ONE if op.scale is None else op.scale
        scaled = tuple(replace(t, scale=t.scale * scale) for t in terms if t is not None)
        constant = ZERO if not np.any(e.constant) else map_constant(op.op, e.constant, e.shape) * scale
        keeps_sign = e.nonnegative and bool(np.all(op.op.weight_values >= 0)) and bool(np.all(scale >= 0))
        result = Expression(scaled, constant, node.shape, op.op.scale_axes(len(node.shape)), None, keeps_sign)
        return plus(result, op.bias)

    def own_stage(self, name: str, e: Expression) -> Expression:
        """A population for a value that a map cannot read, since its scale varies between places that share weights."""
        node = replace(self.graph.by_name[name], name=f"{name}.relay")
        self.values[name] = self.add_stage(node, "linear", e, _carrier(e))
        return self.values[name]

    @lower.register
    def _(self, op: Affine, node: Node) -> Expression:
        scale, shift = np.asarray(op.scale, np.float64), np.asarray(op.shift, np.float64)
        (read,) = node.inputs
        result = affine(self.values[read], scale, shift)
        if result is None:
            result = affine(self.as_stage(read), scale, shift)
        assert result is not None  # the value of a population is not rearranged
        return result

    @lower.register
    def _(self, op: Activate, node: Node) -> Expression:
        (read,) = node.inputs
        function, e = op.function, self.values[read]
        if function == IDENTITY or (function == RELU and e.nonnegative):
            self.rewrites.append(f"{node.name}: {function.name} changes none of its values, dropped")
            return e
        if e.outer is not None and not function.keeps_zero and e.outer.min() < 0:
            e = self.as_stage(read)  # padded places become f(0), not 0
        return self.add_stage(node, function.name, e, function)

    @lower.register
    def _(self, op: MaxPool, node: Node) -> Expression:
        (read,) = node.inputs
        e = self.values[read]
        if not e.nonnegative:
            self.findings.append(_signed_pooling(node))
        plain = e.is_copy and not np.any(e.constant) and all(np.all(t.scale == 1) for t in e.terms)
        if not plain:
            e = self.add_stage(replace(node, name=f"{node.name}.input"), "linear", e, RELU)
        pool = Pool(op.window, np.ones(()))
        terms = tuple(replace(t, op=pool) for t in e.terms)
        return self.add_stage(node, "max_pool", Expression(terms, ZERO, node.shape, e.shared), RELU)

    @lower.register
    def _(self, op: Add, node: Node) -> Expression:
        values = [self.values[n] if self.values[n].outer is None else self.as_stage(n) for n in node.inputs]
        return total(values, node.shape)

    @lower.register
    def _(self, op: Multiply, node: Node) -> Expression:
        first, second = (self.values[n] for n in node.inputs)
        # A sum that is only rearranged is a factor in its own order, and the product is rearranged behind it.
        for rearranged, other in ((first, second), (second, first)):
            back = inverse_of(rearranged.outer, rearranged.inner_shape)
            if back is not None and other.is_copy:
                assert rearranged.outer is not None
                inner = (replace(rearranged, outer=None), reindex(other, back, rearranged.shared))
                product = self.add_product(replace(node, shape=rearranged.inner_shape), inner)
                return reindex(product, rearranged.outer, shared_axes(node.shape, product.shared))
        first, second = (self.values[n] if self.values[n].outer is None else self.as_stage(n) for n in node.inputs)
        return self.add_product(node, (first, second))

    @lower.register
    def _(self, op: Concat, node: Node) -> Expression:
        return concatenated([self.as_stage(name) for name in node.inputs], op.axis, node.shape)

    @lower.register
    def _(self, op: Reindex, node: Node) -> Expression:
        (read,) = node.inputs
        e = self.values[read]
        return reindex(e, op.index, shared_axes(node.shape, e.shared))

    @lower.register
    def _(self, op: Finish, node: Node) -> Expression:
        raise AssertionError("Finish stands last and is taken by run()")


def _finish(node: Node) -> str:
    """What the host computes of the value in front of an output node that nothing else reads."""
    if isinstance(node.op, Finish):
        return node.op.kind
    return "relu" if node.op == Activate(RELU) else "identity"


def _carrier(e: Expression) -> Activation:
    """Activation of a population for a linear value: ReLU where the value is never negative, otherwise the identity."""
    return RELU if e.nonnegative else IDENTITY


def _live(stages: list[AnyStage]) -> tuple[AnyStage, ...]:
    """Drop stages that nothing reads."""
    needed = {stage.name for stage in stages if isinstance(stage, OutputStage)}
    for stage in reversed(stages):
        if stage.name in needed and not isinstance(stage, InputStage):
            needed |= {link.pre for link in stage.links}
    return tuple(s for s in stages if s.name in needed or isinstance(s, InputStage))


def _no_neurons(graph: AnnGraph) -> Finding:
    output = graph.outputs[0]
    return Finding(
        output.name,
        "a network with no activation between input and output",
        output.source,
        "at least one ReLU with a layer behind it",
        "check that the right module was given; a model without activations has nothing to spike",
    )


def _signed_pooling(node: Node) -> Finding:
    return Finding(
        node.name,
        "max pooling of values that may be negative",
        node.source,
        "max pooling of ReLU outputs, or max pooling followed by ReLU, with batch norm of positive gain in between",
        "place the pooling behind the ReLU; pool an input of the network outside of the model",
    )
