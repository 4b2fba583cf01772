"""Where a random network takes its decisions from: a seeded generator, or hypothesis, which can shrink them.

Every decision puts its plainest outcome first (lowest integer, no, first option), because hypothesis shrinks that way.
Array contents come from a seed and a drawn magnitude: the structure shrinks element by element, contents by magnitude.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np
from hypothesis import strategies as st

T = TypeVar("T")


class Choices(Protocol):
    """Source of random decisions."""

    def integer(self, low: int, high: int) -> int:
        """Integer in [low, high]."""
        ...

    def chance(self, percent: int) -> bool:
        """True in a percentage of all cases."""
        ...

    def pick(self, options: Sequence[T]) -> T:
        """One of the options."""
        ...

    def generator(self) -> np.random.Generator:
        """Generator for whole arrays."""
        ...


class Seeded:
    """Decisions of a seeded numpy generator."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def integer(self, low: int, high: int) -> int:
        return int(self._rng.integers(low, high + 1))

    def chance(self, percent: int) -> bool:
        return bool(self._rng.integers(100) < percent)

    def pick(self, options: Sequence[T]) -> T:
        return options[int(self._rng.integers(len(options)))]

    def generator(self) -> np.random.Generator:
        return self._rng


class Drawn:
    """Decisions of hypothesis, which can shrink them."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self._draw = draw

    def integer(self, low: int, high: int) -> int:
        return self._draw(st.integers(low, high))

    def chance(self, percent: int) -> bool:
        return self._draw(st.integers(0, 99)) >= 100 - percent

    def pick(self, options: Sequence[T]) -> T:
        return self._draw(st.sampled_from(list(options)))

    def generator(self) -> np.random.Generator:
        return np.random.default_rng(self._draw(st.integers(0, 9_999)))
