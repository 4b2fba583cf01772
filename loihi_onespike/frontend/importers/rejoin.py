"""Pass over exported programs: fully connected layers over several axes, which the exporter takes apart, as one again.

`nn.Linear` on (N, A, F) becomes view (N·A, F) → addmm → view (N, A, O); the first view mixes batch and axes, though
nothing reads it but the product.
"""

from __future__ import annotations

from math import prod
from typing import Any

import torch
from torch import fx

_ATEN = torch.ops.aten
_VIEWS = (_ATEN.view.default, _ATEN._unsafe_view.default, _ATEN.reshape.default)


def rejoin_linear(graph: fx.Graph) -> None:
    """Replace every view → mm or addmm → view by a linear layer on all axes, in place."""
    for node in list(graph.nodes):
        if node.op != "call_function" or node.target not in (_ATEN.mm.default, _ATEN.addmm.default):
            continue
        bias, flat, matrix = (None, *node.args) if node.target == _ATEN.mm.default else node.args
        if not isinstance(flat, fx.Node) or flat.target not in _VIEWS:
            continue
        x = flat.args[0]
        before, merged, after = _shape(x), _shape(flat), _shape(node)
        if before is None or merged is None or after is None or len(before) < 3:
            continue
        if merged != (prod(before[:-1]), before[-1]):
            continue
        for user in list(node.users):
            if user.target in _VIEWS and _shape(user) == (*before[:-1], after[-1]):
                with graph.inserting_before(user):
                    weight = graph.call_function(_ATEN.t.default, (matrix,))
                    joined = graph.call_function(torch.nn.functional.linear, (x, weight, bias))
                joined.meta = dict(node.meta)
                user.replace_all_uses_with(joined)
    graph.eliminate_dead_code()


def _shape(node: Any) -> tuple[int, ...] | None:
    """Sizes that the exporter noted, None where one of them is not fixed."""
    value = node.meta.get("val") if isinstance(node, fx.Node) else None
    if not isinstance(value, torch.Tensor) or not all(isinstance(size, int) for size in value.shape):
        return None
    return tuple(value.shape)
