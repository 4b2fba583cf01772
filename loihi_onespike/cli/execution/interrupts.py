"""The end of work that somebody stops: Ctrl-C, or the signal that job schedulers and torchrun send."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def termination_interrupts() -> Iterator[None]:
    """SIGTERM ends the block as Ctrl-C does, so that the command can say how to go on."""
    if threading.current_thread() is not threading.main_thread():  # only it may change how signals are taken
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
