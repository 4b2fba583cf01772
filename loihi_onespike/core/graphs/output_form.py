"""Structure of several outputs: nested tuples, lists and dicts, as the model of the network returns them.

Executors give the outputs of several readouts side by side, flattened: (N, values of all of them). This module puts
them into the structure of the model, and takes what a model returns apart in the same order.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.graphs.network import Network
from loihi_onespike.errors import ConfigurationError, FormatError

Tree = dict[str, Any]
"""One of {"output": number}, {"value": constant}, {"list": [tree, …]}, {"tuple": [tree, …]}, {"dict": [[key, tree], …]}
and {"named": [class, [[field, tree], …]]}; JSON values alone, since a network file keeps them."""
SCALARS = (str, int, float, bool, type(None))


@dataclass(frozen=True)
class OutputForm:
    """What the model returns, with the numbers of the readouts in place of the tensors.

    Attributes:
        tree: the structure; a tensor that is returned twice stands in it twice, with one number.
    """

    tree: Tree

    @classmethod
    def of(cls, returned: Any, number: Callable[[Any], int | None]) -> OutputForm:
        """The form of what a model returns.

        Args:
            returned: nested tuples, lists and dicts of tensors.
            number: number of the output that a tensor is; None for anything that is no tensor.

        Raises:
            ConfigurationError: something else than tensors and plain constants is returned with them.
        """
        return cls(_described(returned, number))

    @classmethod
    def of_tuple(cls, outputs: int) -> OutputForm:
        """A tuple of so many outputs."""
        return cls({"tuple": [{"output": i} for i in range(outputs)]})

    @classmethod
    def from_facts(cls, facts: object) -> OutputForm:
        """Inverse of `to_facts`; raises FormatError where the record of a file is damaged."""
        tree = facts.get("tree") if isinstance(facts, Mapping) else None
        if not _is_tree(tree):
            raise FormatError("onespike/facts", "outputs must be a structure of outputs; the file was edited")
        assert isinstance(tree, dict)
        return cls(tree)

    def to_facts(self) -> dict[str, object]:
        """The form as values for JSON."""
        return {"tree": self.tree}

    @property
    def count(self) -> int:
        """Number of different outputs."""
        return len(set(_numbers(self.tree)))

    def parts(self, returned: Any) -> list[Any]:
        """The outputs in what the model returns, in the order of their numbers; ValueError for another structure."""
        found: dict[int, Any] = {}
        _take(self.tree, returned, found)
        return [found[i] for i in sorted(found)]

    def restored(self, outputs: Sequence[Any]) -> Any:
        """Outputs, in the order of their numbers, in the structure of the model.

        Dicts are plain dicts, and named tuples are of a class with the name and the fields of the model's.
        """
        return _restored(self.tree, outputs)


def form_of(network: Network) -> OutputForm | None:
    """Form of the outputs, a tuple for several readouts where none is recorded; None for one readout without a record.

    Raises:
        FormatError: the record is damaged, or is of another number of outputs.
    """
    facts = network.facts.get("outputs")
    if facts is None and len(network.readouts) == 1:
        return None
    form = OutputForm.of_tuple(len(network.readouts)) if facts is None else OutputForm.from_facts(facts)
    if set(_numbers(form.tree)) != set(range(len(network.readouts))):
        raise FormatError(
            "onespike/facts", f"outputs must hold the numbers of {len(network.readouts)} readouts; the file was edited"
        )
    return form


def output_shapes(network: Network) -> list[tuple[int, ...]]:
    """Shape of every output for one sample, in the order of the readouts."""
    return [tuple(p.shape if p.order is None else p.order.shape) for p in network.readouts]


def joined(outputs: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Outputs (N, …) side by side, (N, values of all); a single one as it is."""
    if len(outputs) == 1:
        return outputs[0]
    return np.concatenate([y.reshape(len(y), -1) for y in outputs], axis=1)


def split(network: Network, output: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Inverse of `joined` for the outputs of a network: an array (N, …) per readout."""
    shapes = output_shapes(network)
    if len(shapes) == 1:
        return [output]
    ends = np.cumsum([prod(shape) for shape in shapes])[:-1]
    return [part.reshape(len(output), *shape) for part, shape in zip(np.split(output, ends, 1), shapes, strict=True)]


def _described(tree: Any, number: Callable[[Any], int | None]) -> Tree:
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        fields = [[name, _described(item, number)] for name, item in zip(tree._fields, tree, strict=True)]
        return {"named": [type(tree).__name__, fields]}
    if isinstance(tree, tuple | list):
        return {"tuple" if isinstance(tree, tuple) else "list": [_described(item, number) for item in tree]}
    if isinstance(tree, Mapping) and all(isinstance(key, str | int) for key in tree):
        return {"dict": [[key, _described(item, number)] for key, item in tree.items()]}
    found = number(tree)
    if found is not None:
        return {"output": found}
    if isinstance(tree, SCALARS):
        return {"value": tree}
    raise ConfigurationError(
        "output: must be tensors in tuples, lists and dicts whose keys are text or whole numbers, got "
        f"{type(tree).__name__} beside them; return the tensors alone"
    )


def _children(tree: Tree) -> list[Tree]:
    ((kind, content),) = tree.items()
    if kind in ("output", "value"):
        return []
    if kind in ("list", "tuple"):
        return list(content)
    return [item for _, item in (content if kind == "dict" else content[1])]


def _numbers(tree: Tree) -> Iterator[int]:
    if "output" in tree:
        yield tree["output"]
    for child in _children(tree):
        yield from _numbers(child)


def _is_tree(tree: object, depth: int = 0) -> bool:
    if not isinstance(tree, dict) or len(tree) != 1 or depth > 100:
        return False
    ((kind, content),) = tree.items()
    if kind == "output":
        return type(content) is int and content >= 0
    if kind == "value":
        return isinstance(content, SCALARS)
    if kind == "named":
        if not (isinstance(content, list) and len(content) == 2 and isinstance(content[0], str)):
            return False
        names = [pair[0] for pair in content[1]] if _are_pairs(content[1]) else [""]
        legal = content[0].isidentifier() and all(isinstance(n, str) and n.isidentifier() for n in names)
        return legal and all(_is_tree(item, depth + 1) for _, item in content[1])
    if kind == "dict":
        return _are_pairs(content) and all(_is_tree(item, depth + 1) for _, item in content)
    return kind in ("list", "tuple") and isinstance(content, list) and all(_is_tree(c, depth + 1) for c in content)


def _are_pairs(content: object) -> bool:
    return isinstance(content, list) and all(
        isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str | int) for pair in content
    )


def _take(tree: Tree, returned: Any, found: dict[int, Any]) -> None:
    ((kind, content),) = tree.items()
    if kind == "output":
        found.setdefault(content, returned)
        return
    if kind == "value":
        return
    items = [returned[key] for key, _ in content] if kind == "dict" else list(returned)
    for child, item in zip(_children(tree), items, strict=True):
        _take(child, item, found)


def _restored(tree: Tree, outputs: Sequence[Any]) -> Any:
    ((kind, content),) = tree.items()
    if kind == "output":
        return outputs[content]
    if kind == "value":
        return content
    items = [_restored(child, outputs) for child in _children(tree)]
    if kind == "dict":
        return {key: item for (key, _), item in zip(content, items, strict=True)}
    if kind == "named":
        return namedtuple(content[0], [name for name, _ in content[1]])(*items)
    return tuple(items) if kind == "tuple" else items
