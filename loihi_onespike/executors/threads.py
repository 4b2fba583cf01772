"""Compiled kernels on several threads: a kernel works on a range of rows, and every thread takes ranges in turn.

The kernels are compiled without numba's own parallel loops. Those make the same machine code several times as slow to
compile, since every such loop becomes a function of its own that is optimized again with everything it calls. A kernel
that releases the interpreter lock needs no more than a few Python threads, each of which runs it on part of the rows.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from typing import Any

import numba

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
