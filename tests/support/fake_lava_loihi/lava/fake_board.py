"""The board: which model runs where. Imported by the adapters, without which nothing reaches a board."""

from __future__ import annotations

import os
import sys
from typing import Any

from lava.magma.core.model.nc.model import AbstractNcProcessModel, instantiate
from lava.magma.core.model.nc.net import NetL2
from lava.magma.core.run_configs import Loihi2HwCfg

from loihi_onespike.executors.lava.models import FIXED

allocated: list[NetL2] = []


def install() -> None:
    assert "torch" not in sys.modules, "torch hangs in Lava's processes"
    real = Loihi2HwCfg.select

    def select(self: Loihi2HwCfg, process: Any, models: list[type]) -> type:
        assert os.environ.get("LOIHI_GEN"), "no board was chosen: use_slurm_host or use_ethernet_host comes first"
        if type(process) in FIXED and type(process) not in self.exception_proc_model_map:
            return FIXED[type(process)]  # lava-loihi has models of its own for Dense, Conv and Sparse
        chosen = real(self, process, models)
        if not issubclass(chosen, AbstractNcProcessModel):
            return chosen
        net = NetL2()
        instantiate(chosen, process).allocate(net)
        assert net.allocated, f"{process.name} allocated nothing"
        allocated.append(net)
        return FIXED[type(process)]

    Loihi2HwCfg.select = select


install()
