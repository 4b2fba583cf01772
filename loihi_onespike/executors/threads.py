"""Work on several threads: kernels on ranges of rows (`over_rows`), or whole runs on shares of a batch (`over_shares`).

`over_shares` is the faster one, since its threads meet only at the end. Between the layers of one run, each wait of
one thread for another costs the time in which the threads of torch's OpenMP, which stay busy for some milliseconds
after each operation, hold the processors. `over_rows` is for work that cannot be shared out otherwise.

The kernels are compiled without numba's own parallel loops. Those make the same machine code several times as slow to
compile, since every such loop becomes a function of its own that is optimized again with everything it calls. A kernel
that releases the interpreter lock needs no more than a few Python threads, each of which runs it on part of the rows.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from threading import Barrier
from typing import Any, TypeVar

import numba

T = TypeVar("T")
R = TypeVar("R")

RANGES_PER_THREAD = 4
"""Number of ranges per thread. With more than one, a slow range does not keep the other threads waiting."""


def over_rows(kernel: Callable[..., object], rows: int, *args: Any, at_once: int | None = None) -> None:
    """Run kernel(first, end, *args) for ranges first <= row < end that together are all rows.

    The number of threads is that of numba: `numba.set_num_threads`, or the environment variable NUMBA_NUM_THREADS.

    Args:
        kernel: compiled with `nogil=True`; results of different rows must not depend on each other.
        rows: number of rows; with none the kernel is not called.
        *args: passed on to the kernel.
        at_once: rows of one range; None divides the rows evenly.
    """
    threads = numba.get_num_threads()
    if rows <= 1 or threads == 1:
        if rows:
            kernel(0, rows, *args)
        return
    size = at_once or -(-rows // (RANGES_PER_THREAD * threads))
    ranges = iter(range(0, rows, size))

    def work() -> None:
        for first in ranges:
            kernel(first, min(first + size, rows), *args)

    others = [_pool(threads, os.getpid()).submit(work) for _ in range(threads - 1)]
    try:
        work()
    finally:
        wait(others)
    for other in others:
        other.result()


@cache
def _pool(threads: int, process: int) -> ThreadPoolExecutor:
    """Threads of this process; those of a parent process do not survive a fork."""
    return ThreadPoolExecutor(threads, thread_name_prefix=f"kernels of process {process}")


def sharing_threads() -> int:
    """Number of threads of `over_shares`: the smaller one of numba's and torch's numbers."""
    import torch

    return _of_one_order.get() or min(numba.get_num_threads(), torch.get_num_threads())


_of_one_order: ContextVar[int | None] = ContextVar("number of threads outside of one_order", default=None)


@contextmanager
def one_order() -> Iterator[None]:
    """Context in which sums of real numbers have the same bits, whatever the number of threads.

    torch's MKL and numpy's BLAS divide long sums between their threads, and the order of a sum changes its last bits.
    Here both compute on one thread. `over_shares` has as many threads as outside, so that work of a size that does not
    depend on their number keeps them busy.
    """
    import torch
    from threadpoolctl import threadpool_limits

    if _of_one_order.get() is not None:
        yield
        return
    threads, of_torch = sharing_threads(), torch.get_num_threads()
    within = _of_one_order.set(threads)
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1, user_api="blas"):
            yield
    finally:
        torch.set_num_threads(of_torch)
        _of_one_order.reset(within)


def over_shares(function: Callable[[T], R], shares: Sequence[T]) -> list[R]:
    """[function(share) for share in shares], on several threads, each of which runs kernels and torch by itself.

    After an error, and after an interrupt, shares that have not begun are dropped, and those that have are waited for.

    Args:
        function: what to run; it must not change what other calls read.
        shares: its arguments.
    """
    threads = sharing_threads()
    if threads == 1 or len(shares) <= 1:
        return [function(share) for share in shares]
    pool = _sharing_pool(threads, os.getpid())
    running = [pool.submit(function, share) for share in shares]
    try:
        wait(running, return_when=FIRST_EXCEPTION)
        return [future.result() for future in running]
    finally:
        for future in running:
            future.cancel()
        wait(running)


@cache
def _sharing_pool(threads: int, process: int) -> ThreadPoolExecutor:
    """Threads of this process on which numba and torch use one thread each."""
    import torch

    def begin() -> None:
        numba.set_num_threads(1)
        torch.set_num_threads(1)

    before = torch.get_num_threads()
    pool = ThreadPoolExecutor(threads, f"shares of process {process}", begin)
    together = Barrier(threads)
    wait([pool.submit(together.wait) for _ in range(threads)])
    torch.set_num_threads(before)  # torch also keeps a number for threads that begin later
    return pool
