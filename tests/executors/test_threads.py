"""Ranges of rows, and shares of a batch, on several threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numba
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from loihi_onespike.core.encoding import Codes
from loihi_onespike.core.trace import LayerTrace, first_difference
from loihi_onespike.executors import reference
from loihi_onespike.executors import threads as module
from loihi_onespike.executors.fast import fast_executor
from loihi_onespike.executors.fast.fast_executor import FastExecutor, Keep
from loihi_onespike.executors.threads import over_rows, over_shares
from tests.strategies import random_case


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


@pytest.fixture
def two_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    for where in (module, fast_executor):
        monkeypatch.setattr(where, "sharing_threads", lambda: 2)


@pytest.mark.usefixtures("two_threads")
def test_shares_keep_their_order_and_run_alone_on_their_thread() -> None:
    def settings(share: int) -> tuple[int, str, int, int]:
        return share, threading.current_thread().name, numba.get_num_threads(), torch.get_num_threads()

    before = numba.get_num_threads(), torch.get_num_threads()
    found = over_shares(settings, range(20))
    assert [share for share, *_ in found] == list(range(20))
    assert {count for _, _, *counts in found for count in counts} == {1}
    assert threading.current_thread().name not in {name for _, name, *_ in found}
    assert (numba.get_num_threads(), torch.get_num_threads()) == before


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_after_an_error_no_share_begins(error: type[BaseException]) -> None:
    begun = []

    def work(share: int) -> None:
        begun.append(share)
        if share == 0:
            raise error("of a share")
        threading.Event().wait(0.05)

    with pytest.raises(error, match="of a share"):
        over_shares(work, range(200))
    assert len(begun) < 100


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize("seed", range(4))
def test_shared_batches_equal_the_oracle(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast_executor, "FEWEST_IMAGES", 2)
    case = random_case(seed, images=9, full_wait=True)
    executor = FastExecutor(case.network)
    shares: list[int] = []
    run = executor._run_chunk

    def counted(codes: Codes, keep: Keep) -> dict[str, LayerTrace]:
        shares.append(len(codes))
        return run(codes, keep)

    monkeypatch.setattr(executor, "_run_chunk", counted)
    wanted = reference.run(case.network, case.codes)
    np.testing.assert_array_equal(executor.predict(case.codes), wanted.output)
    assert sum(shares) == 9
    if executor.bounded:
        assert sorted(shares) == [4, 5]
    found = executor.run(case.codes, potentials=False)
    for name, layer in wanted.layers.items():
        assert np.array_equal(np.asarray(found.layers[name].codes), np.asarray(layer.codes))
    assert first_difference(executor.run(case.codes), wanted) is None
