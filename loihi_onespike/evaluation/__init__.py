"""Accuracy, agreement, spikes and cost of a network on labelled data."""

from loihi_onespike.evaluation.counts import Counts
from loihi_onespike.evaluation.parts import Shard
from loihi_onespike.evaluation.report import Accuracy, Evaluation, wilson_interval

__all__ = ["Accuracy", "Counts", "Evaluation", "Shard", "wilson_interval"]
