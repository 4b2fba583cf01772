"""One-spike networks for Loihi: convert, quantize, simulate, export and run.

import loihi_onespike as los

net = los.convert(model, calibration_images, timesteps=16)
net.predict(images)                  # outputs in the units of the ANN
net.evaluate(images, labels)         # accuracy with interval, spikes, energy measure, latency
net.save("net.h5"); los.load("net.h5")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from loihi_onespike import errors

if TYPE_CHECKING:
    from loihi_onespike.api import OneSpikeNetwork, convert, load

__version__ = "0.1.0"
__all__ = ["OneSpikeNetwork", "__version__", "convert", "errors", "load"]

_LAZY = {
    "convert": "loihi_onespike.api",
    "load": "loihi_onespike.api",
    "OneSpikeNetwork": "loihi_onespike.api",
}


def __getattr__(name: str) -> object:
    """Import on first use: Lava's worker processes import this package and must never load torch."""
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
