"""Branching on the local step: a binary tree of comparisons whose leaves are blocks of instructions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias, TypeVar

from loihi_onespike.microcode.isa import Field, Op
from loihi_onespike.microcode.program import ProgramBuilder

T = TypeVar("T")
Segment: TypeAlias = "tuple[int, Callable[[], None]]"


def runs(values: Sequence[T]) -> list[tuple[int, T]]:
    """Runs of equal neighbours, each as (position of its first element counted from 1, value)."""
    return [(place, value) for place, value in enumerate(values, 1) if place == 1 or value != values[place - 2]]


def dispatch(
    builder: ProgramBuilder, clock: Field, segments: Sequence[Segment], name: str, *, leaving: bool = False
) -> None:
    """Emit a tree that runs the block of the current step and continues after all blocks.

    Every block but the textually last ends with a jump. In a block that was reached by a jump the flag c is still set,
    because blocks make no comparisons; a block that was reached by falling through sets c with an EQ that is always
    true.

    Args:
        builder: The program under construction.
        clock: The field that holds the local step.
        segments: (first step, writer of the block) in ascending order; a block lasts until the first step of the next,
            and
            the clock is never before the first step of the first block.
        name: Prefix of the labels.
        leaving: Every block but that of the first segment, which is the textually last, ends with a jump of its own,
            and so may compare.
    """
    _tree(builder, clock, segments, name, jumped_to=False, last=True, leaving=leaving)
    if len(segments) > 1:
        builder.label(f"{name}_end")


def _tree(
    builder: ProgramBuilder,
    clock: Field,
    segments: Sequence[Segment],
    name: str,
    *,
    jumped_to: bool,
    last: bool,
    leaving: bool,
) -> None:
    if len(segments) == 1:
        segments[0][1]()
        if not last and not leaving:
            if not jumped_to:
                builder.emit(Op.EQ, clock, clock, note="always")
            builder.jump(f"{name}_end")
        return
    early, late = segments[: len(segments) // 2], segments[len(segments) // 2 :]
    first = late[0][0]
    label = f"{name}_{early[0][0]}_{first - 1}"
    builder.emit(Op.LT, clock, builder.number(f"step_{first}", first))
    builder.jump(label)
    _tree(builder, clock, late, name, jumped_to=False, last=False, leaving=leaving)
    builder.label(label)
    _tree(builder, clock, early, name, jumped_to=True, last=last, leaving=leaving)
