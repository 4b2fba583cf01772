"""Run one-spike networks on Lava. The only package that imports lava, and only in the child process or in `netx`.

    trace = run(network, codes)          # a Trace, equal to executors.reference.run(network, codes)
    available(), why_unavailable()       # is Lava there, and if not, what to do

`netx.Network` builds the Lava process graph of a NetX file for use in one's own Lava programs.
"""

from loihi_onespike.executors.lava.availability import available, why_unavailable
from loihi_onespike.executors.lava.runner import run

__all__ = ["available", "run", "why_unavailable"]
