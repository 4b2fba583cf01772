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

from loihi_onespike import errors, moved_modules

if TYPE_CHECKING:
    from loihi_onespike.analysis.diagnosis import diagnose
    from loihi_onespike.analysis.report import report
    from loihi_onespike.analysis.tuning import Limits, tune
    from loihi_onespike.api import OneSpikeNetwork, convert, load
    from loihi_onespike.boards.deployment import deploy, preflight
    from loihi_onespike.boards.mapping import map_network
    from loihi_onespike.boards.specification import load_board
    from loihi_onespike.conversion.method import Method
    from loihi_onespike.core.trace import Trace
    from loihi_onespike.evaluation import Evaluation
    from loihi_onespike.jobs.distributed import Ranks

__version__ = "0.1.0"
__all__ = [
    "Evaluation",
    "Limits",
    "Method",
    "OneSpikeNetwork",
    "Ranks",
    "Trace",
    "__version__",
    "convert",
    "deploy",
    "diagnose",
    "errors",
    "load",
    "load_board",
    "map_network",
    "preflight",
    "report",
    "tune",
]

_LAZY = {
    "Evaluation": "evaluation",
    "Limits": "analysis.tuning",
    "Method": "conversion.method",
    "OneSpikeNetwork": "api",
    "Ranks": "jobs.distributed",
    "Trace": "core.trace",
    "convert": "api",
    "deploy": "boards.deployment",
    "diagnose": "analysis.diagnosis",
    "load": "api",
    "load_board": "boards.specification",
    "map_network": "boards.mapping",
    "preflight": "boards.deployment",
    "report": "analysis.report",
    "tune": "analysis.tuning",
}

moved_modules.install()


def __getattr__(name: str) -> object:
    """Import on first use: Lava's worker processes import this package and must never load torch."""
    if name in _LAZY:
        return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    if name in moved_modules.VANISHED_PACKAGES or moved_modules.new_place(name) is not None:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """The names that are imported on first use are listed too."""
    return sorted({*globals(), *__all__})
