"""The process models, imported when they are asked for."""

from __future__ import annotations

from loihi_onespike.executors.lava.nc.availability import require


def models() -> dict[type, type]:
    """Process → model for cores, to be given to a run configuration; raises LavaError without lava-loihi.

    Lava's own search looks beside the processes and does not see these.
    """
    require()
    from loihi_onespike.executors.lava.nc.process_models import MODELS

    return dict(MODELS)
