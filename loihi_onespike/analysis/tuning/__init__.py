"""Settings of a conversion that keep given limits: the Pareto front of loss, latency and spikes."""

from loihi_onespike.analysis.tuning.front import Front, Point
from loihi_onespike.analysis.tuning.limits import Limits, Measurement
from loihi_onespike.analysis.tuning.search import Search, Step, tune
from loihi_onespike.analysis.tuning.setting import Setting, Space

__all__ = ["Front", "Limits", "Measurement", "Point", "Search", "Setting", "Space", "Step", "tune"]
