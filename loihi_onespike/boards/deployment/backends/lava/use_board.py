"""Lava's settings of the board that it is to use.

Two defects of lava-nc 0.10.0 are worked around, and both are reproduced in tests:

- `slurm.get_partitions()` and `get_boards()` fail with IndexError on the trailing newline of sinfo's output, and
  `use_slurm_host(partition=…)` and `(board=…)` fail with them. It is therefore called without either argument, and the
  environment variables are set afterwards.
- Where the command `sinfo` does not exist, `use_slurm_host` ends with FileNotFoundError. `access.reachable` therefore
  looks for it first.
"""

from __future__ import annotations

import os

from loihi_onespike.boards.deployment.access import Access, Ethernet


def use(access: Access, stepping: str) -> None:
    """Point Lava at the board; called in the process that runs Lava, before anything is compiled.

    Args:
        access: How the board is reached.
        stepping: Stepping of its chips, one of `STEPPINGS`.
    """
    from lava.utils import loihi

    generation = loihi.ChipGeneration(stepping)
    if isinstance(access, Ethernet):
        loihi.use_ethernet_host(access.address, access.binary, generation)
        return
    loihi.use_slurm_host(loihi_gen=generation)
    for variable, value in (("PARTITION", access.partition), ("BOARD", access.node)):
        if value is not None:
            os.environ[variable] = value
