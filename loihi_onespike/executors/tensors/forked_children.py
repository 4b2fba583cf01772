"""Processes that are forked after torch computed: they compute on one thread, where torch's own threads would hang.

The threads of OpenMP do not survive a fork, and the runtime in the child waits for them for ever at the next parallel
region (GNU libgomp). With one thread there is no such region. Kernels of `executors.threads` are not concerned: they
use no parallel loops of numba, whose threads end a forked child with a message of libgomp.
"""

from __future__ import annotations

import os
from functools import cache

import torch


@cache
def compute_after_fork() -> None:
    """Set torch to one thread in every child that is forked from now on; called by executors that compute with torch.

    A child that was spawned or started anew keeps all threads, and so does this process.
    """
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_one_thread)


def _one_thread() -> None:
    torch.set_num_threads(1)
