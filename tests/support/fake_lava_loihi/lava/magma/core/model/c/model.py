"""Models for the embedded processors; lava-nc wants the names."""

from __future__ import annotations

from lava.magma.core.model.model import AbstractProcessModel


class AbstractCProcessModel(AbstractProcessModel):
    pass


class CLoihiProcessModel(AbstractCProcessModel):
    pass
