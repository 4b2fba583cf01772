"""Channels whose bias is -inf: silent behind a ReLU, and without a one-spike form everywhere else."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.graphs.ann import Activate, AnnOp, Linear, Node
from loihi_onespike.errors import Finding
from loihi_onespike.frontend.tracing import support


def without_infinite_biases(
    nodes: tuple[Node, ...], outputs: Collection[str]
) -> tuple[tuple[Node, ...], list[Finding]]:
    """The nodes with scale 0 and bias 0 in place of a bias of -inf, which is the same where only ReLUs read the sum.

    relu(w · x - inf) = 0 = relu(0 · w · x + 0) for any finite x; a ReLU with an upper limit gives the same.

    Args:
        nodes: nodes in topological order.
        outputs: names of the nodes whose values are outputs.

    Returns:
        The nodes, and a finding for every other node with an infinite bias.
    """
    loud = {name for node in nodes if not _ends_at_zero(node) for name in node.inputs} | set(outputs)
    muted = tuple(replace(node, op=_muted(node.op)) for node in nodes)
    changed = (node for node, after in zip(nodes, muted, strict=True) if node.op is not after.op)
    return muted, [_finding(node) for node in changed if node.name in loud]


def _silent(op: Linear) -> NDArray[np.bool_]:
    return np.isneginf(_bias(op))


def _bias(op: Linear) -> NDArray[np.float64]:
    return np.zeros(()) if op.bias is None else op.bias


def _muted(op: AnnOp) -> AnnOp:
    if not isinstance(op, Linear) or not _silent(op).any():
        return op
    silent = _silent(op)
    return replace(
        op, bias=np.where(silent, 0.0, _bias(op)), scale=np.where(silent, 0.0, 1.0 if op.scale is None else op.scale)
    )


def _ends_at_zero(reader: Node) -> bool:
    return isinstance(reader.op, Activate) and reader.op.function.nonnegative and reader.op.function.homogeneous


def _finding(node: Node) -> Finding:
    advice = support.advice_for("not_finite")
    return Finding(node.name, "a bias of -inf that something else than a ReLU reads", node.source, *advice.texts)
