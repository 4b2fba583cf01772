"""The inputs of a model with several of them, side by side in the one input population of its network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.graphs.network import Network
from loihi_onespike.core.maps import Shape
from loihi_onespike.errors import ConfigurationError, FormatError


@dataclass(frozen=True)
class InputParts:
    """Names and shapes of the inputs; the input population has the shape (values of all of them,).

    Attributes:
        names: names of the arguments of the model, in their order.
        shapes: shape of one sample of each.
    """

    names: tuple[str, ...]
    shapes: tuple[Shape, ...]

    @classmethod
    def from_facts(cls, facts: object) -> InputParts:
        """Inverse of `to_facts`; raises FormatError where the record of a file is damaged."""
        parts = facts.get("parts") if isinstance(facts, Mapping) else None
        if not isinstance(parts, list) or not parts or not all(_is_part(part) for part in parts):
            raise FormatError("onespike/facts", "inputs must be names with shapes; the file was edited")
        return cls(tuple(name for name, _ in parts), tuple(tuple(shape) for _, shape in parts))

    def to_facts(self) -> dict[str, object]:
        """The parts as values for JSON."""
        return {"parts": [[name, list(shape)] for name, shape in zip(self.names, self.shapes, strict=True)]}

    @property
    def size(self) -> int:
        """Values of all inputs together."""
        return sum(prod(shape) for shape in self.shapes)

    @property
    def slices(self) -> tuple[slice, ...]:
        """Places of each input in the input population."""
        ends = np.cumsum([0, *(prod(shape) for shape in self.shapes)]).tolist()
        return tuple(slice(a, b) for a, b in pairwise(ends))

    def in_order(self, argument: str, given: Any) -> list[Any]:
        """What was given for each input, from a tuple or list in the order of the names, or a mapping by name.

        Args:
            argument: name of the argument, for the message.
            given: the inputs.

        Raises:
            ConfigurationError: something else, or not the inputs of the model.
        """
        names = ", ".join(self.names)
        if isinstance(given, Mapping):
            if set(given) != set(self.names):
                raise ConfigurationError(f"{argument}: must have the entries {names}, got {', '.join(map(str, given))}")
            return [given[name] for name in self.names]
        if not isinstance(given, tuple | list) or len(given) != len(self.names):
            found = f"{len(given)} values" if isinstance(given, tuple | list) else type(given).__name__
            raise ConfigurationError(
                f"{argument}: must be a tuple or mapping of {len(self.names)} inputs ({names}), got {found}"
            )
        return list(given)

    def joined(self, argument: str, arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """Arrays (N, *shape) of all inputs side by side, (N, values of all).

        Args:
            argument: name of the argument, for the message.
            arrays: one per input.

        Raises:
            ConfigurationError: a wrong shape, or different numbers of samples.
        """
        for name, shape, array in zip(self.names, self.shapes, arrays, strict=True):
            if array.shape[1:] != shape or not array.ndim:
                wanted = ", ".join(map(str, ("N", *shape)))
                raise ConfigurationError(f"{argument}[{name!r}]: must have shape ({wanted}), got {array.shape}")
        counts = {len(array) for array in arrays}
        if len(counts) > 1:
            raise ConfigurationError(f"{argument}: inputs must have the same number of samples, got {sorted(counts)}")
        return np.concatenate([array.reshape(len(array), -1) for array in arrays], axis=1)


def parts_of_inputs(network: Network) -> InputParts | None:
    """The inputs of a network of several; None for a network with one.

    Raises:
        FormatError: the record is damaged, or is not that of its input population.
    """
    facts = network.facts.get("inputs")
    if facts is None:
        return None
    parts = InputParts.from_facts(facts)
    if network.input.shape != (parts.size,):
        raise FormatError("onespike/facts", f"inputs must have {prod(network.input.shape)} values, got {parts.size}")
    return parts


def _is_part(part: object) -> bool:
    if not isinstance(part, list) or len(part) != 2:
        return False
    name, shape = part
    sizes = isinstance(shape, list) and all(type(n) is int and n > 0 for n in shape)
    return isinstance(name, str) and sizes
