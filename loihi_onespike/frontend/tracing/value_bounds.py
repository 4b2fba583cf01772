"""What is known of the sign and the size of a traced value, from the operations that give it.

A quotient and a root exist for positive values only. That a value is positive must follow from the model, not from the
example: a sum of squares with an ε, a sigmoid, a sum of exponentials.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from math import inf

import numpy as np

from loihi_onespike.core.activations import Activation, Exp, Sigmoid, Softplus
from loihi_onespike.core.graphs.ann import Activate, Add, Affine, AnnOp, Concat, Linear, MaxPool, Multiply, Reindex

LOWEST: dict[type[Activation], float] = {Exp: 0.0, Sigmoid: 0.0, Softplus: 0.0}
"""Infimum of activations that never take it, so that their values are positive."""
REACH = 12
"""Number of operations that are looked back."""
_KNOWN = (Activate, Affine, Linear, Reindex, MaxPool, Add, Concat, Multiply)


@dataclass(frozen=True)
class KnownRange:
    """low ≤ x ≤ high, and x > low where `open` is true.

    Attributes:
        low, high: the bounds, infinite where nothing is known.
        open: whether x never takes the value `low`.
    """

    low: float = -inf
    high: float = inf
    open: bool = False

    @property
    def positive(self) -> bool:
        """Whether x > 0 everywhere."""
        return self.low > 0 or (self.low == 0 and self.open)

    def scaled(self, factor: float, shift: float = 0.0) -> KnownRange:
        """Bounds of factor · x + shift."""
        if factor == 0:
            return KnownRange(shift, shift)
        if factor < 0:
            return KnownRange(factor * self.high + shift, factor * self.low + shift)
        return KnownRange(factor * self.low + shift, factor * self.high + shift, self.open)

    def joined(self, other: KnownRange) -> KnownRange:
        """Bounds of values of either kind."""
        low = min(self.low, other.low)
        closed = any(b.low == low and not b.open for b in (self, other))
        return KnownRange(low, max(self.high, other.high), not closed)


def bounds_of(
    name: str, node_of: Callable[[str], tuple[AnnOp | None, tuple[str, ...]]], reach: int = REACH
) -> KnownRange:
    """Bounds of all places of a value.

    Args:
        name: node that gives the value.
        node_of: operation and inputs of a node by its name.
        reach: number of operations that are looked back.
    """
    op, names = node_of(name)
    if isinstance(op, Multiply) and names[0] == names[1]:
        return KnownRange(0.0)
    if reach == 0 or not isinstance(op, _KNOWN) or (isinstance(op, Linear) and np.any(op.op.weight_values < 0)):
        return KnownRange()
    return _of_operation(op, [bounds_of(before, node_of, reach - 1) for before in names])


def _of_operation(op: AnnOp, inputs: list[KnownRange]) -> KnownRange:
    x = inputs[0]
    match op:
        case Activate(function=function):
            return _of_activation(function, x)
        case Affine(scale=scale, shift=shift):
            pairs = np.unique(np.stack(np.broadcast_arrays(scale, shift)).reshape(2, -1), axis=1)
            return _all([x.scaled(float(a), float(b)) for a, b in pairs.T])
        case Linear():
            return _of_linear(op, x)
        case Reindex(index=index):
            return x.joined(KnownRange(0.0, 0.0)) if index.size and index.min() < 0 else x
        case Add():
            return KnownRange(sum(b.low for b in inputs), sum(b.high for b in inputs), any(b.open for b in inputs))
        case Concat():
            return _all(inputs)
        case Multiply():
            a, b = inputs
            if min(a.low, b.low) < 0:
                return KnownRange()
            low = a.low * b.low
            return KnownRange(low, inf, low == 0 and a.positive and b.positive)
    return x


def _of_activation(function: Activation, x: KnownRange) -> KnownRange:
    if function.dips:
        return KnownRange()
    low = float(function.value(np.asarray(x.low)))
    high = function.largest if x.high == inf else float(function.value(np.asarray(x.high)))
    return KnownRange(low, high, low == LOWEST.get(type(function)))


def _of_linear(op: Linear, x: KnownRange) -> KnownRange:
    """Bounds of sums without negative weights."""
    scale = np.ones(()) if op.scale is None else op.scale
    if x.low < 0 or np.any(scale < 0):
        return KnownRange()
    shift = 0.0 if op.bias is None else float(np.min(op.bias))
    return KnownRange(shift, inf, x.positive and bool(np.all(op.op.weight_values > 0) and np.all(scale > 0)))


def _all(parts: list[KnownRange]) -> KnownRange:
    return reduce(KnownRange.joined, parts)
