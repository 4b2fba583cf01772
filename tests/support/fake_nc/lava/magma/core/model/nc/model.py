"""Base of process models, and what the compiler does with one: ports and variables become attributes."""

from __future__ import annotations

from typing import Any

from lava.magma.core.model.model import AbstractProcessModel
from lava.magma.core.model.nc.net import NetL2
from lava.magma.core.model.nc.type import LavaNcType
from lava.magma.core.model.nc.var import NcVar


class AbstractNcProcessModel(AbstractProcessModel):
    def allocate(self, net: NetL2) -> None:
        raise NotImplementedError


def instantiate(model: type[AbstractNcProcessModel], process: Any) -> AbstractNcProcessModel:
    """The model of a process: every LavaNcType of the class becomes an object that belongs to the process's member."""
    made = model(process.proc_params)
    declared = {name: t for base in reversed(model.__mro__) for name, t in vars(base).items() if type(t) is LavaNcType}
    for name, t in declared.items():
        member = getattr(process, name)
        value = NcVar(name, member.shape, member.init, t.d_type, t.precision) if t.cls is NcVar else t.cls(name)
        setattr(made, name, value)
    return made
