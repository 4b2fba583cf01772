"""The processes of a torch.distributed group: who does what, what all of them know, and how all of them end.

Two channels. The group's key-value store carries control: the queue of work, who has arrived, who failed; it is asked
again and again, so that no rank waits for one that has failed. A gloo group carries data, and is entered only after
all ranks have arrived. Counts are a few kB in the memory of the host: gloo carries them where the group itself is nccl.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from itertools import count
from typing import Any, TypeVar

import torch
import torch.distributed as dist

from loihi_onespike.errors import ConfigurationError, DistributedError

T = TypeVar("T")
TIMEOUT_S = 1800.0
"""Longest wait for another rank; torch.distributed's own default for gloo."""
POLL_S = 0.02
LINGER_S = 5.0
"""How long a failed rank that may host the store stays for the others to read why."""
FAILED, LEFT = "failed", "left"
INTERRUPTED = "interrupted"
"""Stands for an error where somebody stopped a rank: the others stop in the same way."""
_made = count()


class Ranks:
    """All ranks of the initialised default group.

    Every rank makes it, and calls its methods, in the same order.

    Args:
        timeout_s: how long to wait for another rank.

    Attributes:
        rank, size: number of this process, and of processes.

    Raises:
        ConfigurationError: there is no group.
        DistributedError: a rank failed, is gone, or did not come in time; from every method.
    """

    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        if not (dist.is_available() and dist.is_initialized()):
            raise ConfigurationError(
                "ranks: requires a process group; call torch.distributed.init_process_group first, or start with "
                "torchrun"
            )
        self.rank, self.size, self.timeout_s = dist.get_rank(), dist.get_world_size(), timeout_s
        store = dist.distributed_c10d._get_default_store()
        self._store: Any = dist.PrefixStore(f"onespike/{next(_made)}", store)
        self._calls = count()
        self._meet("start")
        with self._talking():
            self._group = dist.new_group(backend="gloo", timeout=timedelta(seconds=timeout_s))

    @property
    def is_first(self) -> bool:
        """This is the rank that prints and writes."""
        return self.rank == 0

    def work(self, items: Sequence[T], do: Callable[[T], int], progress: Callable[[int], None] | None = None) -> None:
        """Do every item on one of the ranks: whoever is free takes the next one, so that a slow rank takes fewer.

        Args:
            items: the same on every rank.
            do: returns how much was done, for the report.
            progress: called with how much all ranks have done.
        """
        key = f"work{next(self._calls)}"
        with self.failing_together():
            while (taken := self._add(f"{key}/next", 1) - 1) < len(items):
                self._check_failures()
                amount = do(items[taken])
                done = self._add(f"{key}/done", amount)
                if progress is not None:
                    progress(done)
            shown = None if progress is None else lambda: progress(self._add(f"{key}/done", 0))
            self._meet(f"{key}/end", shown)

    def sum(self, values: Sequence[int]) -> list[int]:
        """Sums over the ranks, exact in 64 bits."""
        added = torch.tensor(list(values), dtype=torch.int64)
        self._meet(f"sum{next(self._calls)}")
        with self._talking():
            dist.all_reduce(added, group=self._group)
        return [int(value) for value in added]

    def gather(self, value: T) -> list[T]:
        """The value of every rank, by rank; sent by pickle."""
        found: list[T] = [value] * self.size
        self._meet(f"gather{next(self._calls)}")
        with self._talking():
            dist.all_gather_object(found, value, group=self._group)
        return found

    def from_first(self, make: Callable[[], T]) -> T:
        """What rank 0 makes; its error is everyone's."""
        with self.failing_together():
            box: list[T | None] = [make() if self.is_first else None]
            self._meet(f"first{next(self._calls)}")
        with self._talking():
            dist.broadcast_object_list(box, src=0, group=self._group)
        return box[0]  # type: ignore[return-value]

    def agree(self, facts: Mapping[str, object]) -> None:
        """Raises ConfigurationError on all ranks, naming the facts that they do not have in common."""
        found = self.gather(dict(facts))
        other = {name: r for r, known in enumerate(found) for name in facts if known.get(name) != found[0].get(name)}
        if other:
            listed = ", ".join(f"{name} (rank {r})" for name, r in other.items())
            raise ConfigurationError(
                f"ranks: must have the same network and data on every rank, got another {listed} than on rank 0"
            )

    @contextmanager
    def failing_together(self) -> Iterator[None]:
        """An exception in this block ends the other ranks too, with its message, when they next ask."""
        try:
            yield
        except DistributedError:
            raise
        except BaseException as error:
            text = f"rank {self.rank}: " + (f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
            if isinstance(error, KeyboardInterrupt):
                text = INTERRUPTED
            with suppress(RuntimeError):  # the store is gone, and with it whoever could ask
                self._store.set(FAILED, text)
            raise

    def close(self, failed: bool = False) -> None:
        """Leave. The process that may host the store, and one that failed, stay until all have left or read why."""
        with suppress(RuntimeError):  # the store went first
            left = self._store.add(LEFT, 1)
            until = time.monotonic() + LINGER_S
            while (self.is_first or failed) and left < self.size and time.monotonic() < until:
                time.sleep(POLL_S)
                left = self._store.add(LEFT, 0)

    def _meet(self, name: str, waiting: Callable[[], None] | None = None) -> None:
        """Wait until every rank is here, one has failed, or time is out."""
        with self._talking():
            self._store.set(f"{name}/{self.rank}", "here")
            arrived = self._store.add(name, 1)
        until = time.monotonic() + self.timeout_s
        while arrived < self.size:
            self._check_failures()
            if time.monotonic() > until:
                raise DistributedError(
                    f"rank {self.rank}: rank {', '.join(self._missing(name))} did not come within "
                    f"{self.timeout_s:g} s; look at its messages, or allow more time with --rank-timeout"
                )
            time.sleep(POLL_S)
            arrived = self._add(name, 0)
            if waiting is not None:
                waiting()
        self._check_failures()

    def _missing(self, name: str) -> list[str]:
        return [str(r) for r in range(self.size) if not self._store.check([f"{name}/{r}"])]

    def _check_failures(self) -> None:
        with self._talking():
            message = self._store.get(FAILED).decode() if self._store.check([FAILED]) else None
        if message == INTERRUPTED:
            raise KeyboardInterrupt
        if message is not None:
            raise DistributedError(message)

    def _add(self, key: str, amount: int) -> int:
        with self._talking():
            return self._store.add(key, amount)

    @contextmanager
    def _talking(self) -> Iterator[None]:
        """What torch raises when a process is gone, as one error."""
        try:
            yield
        except RuntimeError as error:
            first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise DistributedError(
                f"rank {self.rank}: another rank is gone, or the store of the group ({first}); start all ranks again"
            ) from error
