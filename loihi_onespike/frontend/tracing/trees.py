"""Arguments and results as trees: tensors inside tuples, lists, dicts and slices."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


def tree_map(f: Callable[[Any], Any], tree: Any) -> Any:
    """The same tree with `f` applied to every leaf; named tuples and torch's return types keep their class."""
    if isinstance(tree, tuple):
        items = [tree_map(f, item) for item in tree]
        if hasattr(tree, "_fields"):
            return type(tree)(*items)
        return type(tree)(items) if hasattr(tree, "n_fields") else tuple(items)
    if isinstance(tree, list):
        return [tree_map(f, item) for item in tree]
    if isinstance(tree, dict):
        return {key: tree_map(f, item) for key, item in tree.items()}
    if isinstance(tree, slice):
        return slice(tree_map(f, tree.start), tree_map(f, tree.stop), tree_map(f, tree.step))
    return f(tree)


def leaves(tree: Any) -> Iterator[Any]:
    """Leaves in the order in which `tree_map` visits them."""
    if isinstance(tree, (tuple, list)):
        for item in tree:
            yield from leaves(item)
    elif isinstance(tree, dict):
        for item in tree.values():
            yield from leaves(item)
    elif isinstance(tree, slice):
        yield from leaves((tree.start, tree.stop, tree.step))
    else:
        yield tree
