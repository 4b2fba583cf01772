"""The last function of a network, exact on the host instead of coded in spikes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from loihi_onespike.core.graphs.ann import Activate, Finish, Node, Reindex


def finish_on_host(nodes: tuple[Node, ...], output: str) -> tuple[Node, ...]:
    """A sigmoid, tanh or softmax that only rearrangements follow becomes the last node, a `Finish`.

    f(x)[i] = f(x[i]) commutes with any gather that fills in no zeros; softmax over the first axis only with a reshape
    that keeps this axis.
    """
    by_name = {node.name: node for node in nodes}
    followers: list[Node] = []
    node = by_name.get(output)
    while node is not None and isinstance(node.op, Reindex):
        followers.insert(0, node)
        node = by_name.get(node.inputs[0])
    kind = None if node is None else _kind(node, followers)
    if node is None or kind is None:
        return nodes
    if not followers:
        return tuple(replace(n, op=Finish(kind)) if n is node else n for n in nodes)
    last = replace(node, op=Finish(kind), inputs=(followers[-1].name,), shape=followers[-1].shape)
    first = replace(followers[0], inputs=node.inputs)
    kept = [first if n is followers[0] else n for n in nodes if n is not node]
    return (*kept, last)


def _kind(node: Node, followers: list[Node]) -> str | None:
    """What the host applies when `node` moves behind its followers, None where they do not commute."""
    indices = [follower.op.index for follower in followers if isinstance(follower.op, Reindex)]
    if isinstance(node.op, Activate) and node.op.function.left_to_host:
        return node.op.function.name if all(index.min() >= 0 for index in indices) else None
    if isinstance(node.op, Finish):
        reshapes = all(
            index.shape[:1] == node.shape[:1] and np.array_equal(index.ravel(), np.arange(index.size))
            for index in indices
        )
        return node.op.kind if reshapes else None
    return None
