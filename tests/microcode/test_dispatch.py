"""The tree of comparisons with the clock: it leads every step to its block, in few instructions."""

from __future__ import annotations

import numpy as np
import pytest

from loihi_onespike.microcode import Interpreter, Program, StateLayout
from loihi_onespike.microcode.dispatch import dispatch, runs
from loihi_onespike.microcode.isa import Field, Op
from loihi_onespike.microcode.program import ProgramBuilder

CLOCK, X = Field("clock"), Field("x")


def tree(firsts: list[int]) -> Program:
    """x = number of the block, then x + 100 behind all blocks."""
    builder = ProgramBuilder("test", StateLayout.of({"clock": 8, "x": 24}))
    builder.emit(Op.RMW, 0)

    def block(number: int) -> None:
        builder.emit(Op.MOV, number, out=X)

    dispatch(builder, CLOCK, [(first, lambda n=n: block(n)) for n, first in enumerate(firsts)], "block")  # type: ignore[misc]
    builder.emit(Op.ADD, X, 100, out=X)
    return builder.build()


@pytest.mark.parametrize("firsts", [[1], [1, 4], [1, 2, 3], [1, 3, 4, 9, 12, 13, 20]])
def test_every_step_finds_its_block(firsts: list[int]) -> None:
    steps = np.arange(1, 31)
    core = Interpreter(tree(firsts), {"clock": steps, "x": np.zeros(30, np.int64)})
    core.step(np.zeros(30, np.int64))
    expected = np.searchsorted(firsts, steps, side="right") - 1
    assert core.state("x").tolist() == (expected + 100).tolist()


def test_a_tree_is_logarithmic() -> None:
    core = Interpreter(tree(list(range(1, 17))), {"clock": np.arange(1, 17), "x": np.zeros(16, np.int64)})
    core.step(np.zeros(16, np.int64))
    # RMW, at most 4 comparisons with a jump each, the block, EQ and a jump to the end, and the ADD behind it.
    assert core.executed <= 16 * (1 + 2 * 4 + 3 + 1)


def test_runs() -> None:
    assert runs([7, 7, 8, 7]) == [(1, 7), (3, 8), (4, 7)] and runs([5]) == [(1, 5)]
