"""Whether the neuro-core half of Lava is there, asked before anything of it is imported, and its process models."""

from __future__ import annotations

from importlib.util import find_spec

from loihi_onespike.errors import LavaError
from loihi_onespike.executors.lava import availability

PACKAGE = "lava.magma.core.model.nc"


def why_unavailable() -> str | None:
    """Why cores cannot be programmed from here and what to do about it, in one line; None when they can."""
    reason = availability.why_unavailable()
    if reason is not None:
        return reason
    try:
        found = find_spec(PACKAGE) is not None
    except ModuleNotFoundError:
        found = False
    if found:
        return None
    return (
        f"{PACKAGE} is not installed: it comes with lava-loihi, which Intel gives to members of its research community "
        "(INRC), and is not part of lava-nc 0.10.0; install lava-loihi, or run on Lava's simulator"
    )


def available() -> bool:
    """True when process models for cores can be imported."""
    return why_unavailable() is None


def require() -> None:
    """Raise LavaError when they cannot."""
    reason = why_unavailable()
    if reason is not None:
        raise LavaError(reason)


def models() -> dict[type, type]:
    """Process → model for cores, to be given to a run configuration; raises LavaError without lava-loihi.

    Lava's own search looks beside the processes and does not see these.
    """
    require()
    from loihi_onespike.executors.lava.nc.process_models import MODELS

    return dict(MODELS)
