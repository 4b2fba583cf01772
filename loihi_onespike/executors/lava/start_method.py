"""Makes way for the import of Lava, which sets multiprocessing's start method and fails where it is set already.

Numba sets it by asking for it, whenever a parallel kernel is compiled or loaded: after a prediction with `fast` in the
same program, Lava could not be imported any more ("context has already been set").
"""

from __future__ import annotations

import multiprocessing
import sys

from loihi_onespike.errors import LavaError

SETS_IT = "lava.magma.runtime.message_infrastructure.multiprocessing"
"""The module of Lava that does; once it is imported nothing is left to do."""


def make_way() -> None:
    """Leave the start method open for Lava when it is fork anyway; raise LavaError when the program chose another."""
    found = multiprocessing.get_start_method(allow_none=True)
    if found is None or SETS_IT in sys.modules:
        return
    if found != "fork":
        raise LavaError(
            f"multiprocessing's start method: must be fork, got {found}; call "
            "multiprocessing.set_start_method('fork') first, or run Lava in a process of its own (executors.lava.run)"
        )
    multiprocessing.set_start_method(None, force=True)
