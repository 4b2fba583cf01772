"""Processes that torchrun started: joining their group and leaving it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch.distributed as dist

from loihi_onespike.errors import DistributedError
from loihi_onespike.jobs.distributed.ranks import TIMEOUT_S, Ranks

RENDEZVOUS = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
"""Environment of a started process, by the convention of torch.distributed."""


def was_launched() -> bool:
    """This process is one of several that torchrun, or anything of its convention, started."""
    return all(name in os.environ for name in RENDEZVOUS) and int(os.environ["WORLD_SIZE"]) > 1


@contextmanager
def joined(timeout_s: float = TIMEOUT_S) -> Iterator[Ranks]:
    """The group of all started processes; an exception in the block ends all of them.

    gloo, also where there are GPUs: what the ranks exchange are counts in the memory of the host.

    Raises:
        DistributedError: the group does not come together, or another rank fails.
    """
    try:
        dist.init_process_group("gloo", timeout=timedelta(seconds=timeout_s))
    except (RuntimeError, ValueError) as error:
        raise DistributedError(
            f"rank {os.environ['RANK']}: the group of {os.environ['WORLD_SIZE']} processes at "
            f"{os.environ['MASTER_ADDR']} did not come together ({error}); start all of them, allow that port"
        ) from error
    try:
        share_cores()
        ranks = Ranks(timeout_s)
        try:
            with ranks.failing_together():
                yield ranks
        except BaseException:
            ranks.close(failed=True)
            raise
        ranks.close()
    finally:
        dist.destroy_process_group()


def share_cores() -> None:
    """Give the kernels of this process its share of the machine's cores.

    torchrun does as much for torch, by OMP_NUM_THREADS; numba does not read that. NUMBA_NUM_THREADS takes precedence.
    """
    import numba

    local = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    if "NUMBA_NUM_THREADS" not in os.environ:
        numba.set_num_threads(max(1, numba.config.NUMBA_NUM_THREADS // local))
