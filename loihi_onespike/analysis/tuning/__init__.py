"""Search for options of a conversion that keep given limits: the Pareto front of loss, latency and spikes."""

from loihi_onespike.analysis.tuning.front import Front, Point
from loihi_onespike.analysis.tuning.limits import Limits, NetworkFigures
from loihi_onespike.analysis.tuning.search import Search, Step, tune
from loihi_onespike.analysis.tuning.setting import ConversionSetting, Space
from loihi_onespike.analysis.tuning.stored_front import stored_front

__all__ = [
    "ConversionSetting",
    "Front",
    "Limits",
    "NetworkFigures",
    "Point",
    "Search",
    "Space",
    "Step",
    "stored_front",
    "tune",
]
