"""Ranges of rows on several threads."""

from __future__ import annotations

from collections.abc import Iterator

import numba
import numpy as np
import pytest
from numpy.typing import NDArray

from loihi_onespike.executors.threads import over_rows


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = numba.get_num_threads()
    wanted = min(request.param, numba.config.NUMBA_NUM_THREADS)
    numba.set_num_threads(wanted)
    yield wanted
    numba.set_num_threads(before)


def add_one(first: int, end: int, values: NDArray[np.int64]) -> None:
    values[first:end] += 1


@pytest.mark.parametrize("rows", [0, 1, 2, 37])
@pytest.mark.parametrize("at_once", [None, 1, 5, 100])
def test_every_row_is_worked_on_once(threads: int, rows: int, at_once: int | None) -> None:
    values = np.zeros(rows, np.int64)
    over_rows(add_one, rows, values, at_once=at_once)
    assert (values == 1).all()


def test_errors_of_a_thread_reach_the_caller(threads: int) -> None:
    def fail(first: int, end: int) -> None:
        raise ValueError("of a thread")

    with pytest.raises(ValueError, match="of a thread"):
        over_rows(fail, 10)
