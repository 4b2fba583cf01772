"""Accuracy, agreement, spikes and cost of a network on labelled data."""

from loihi_onespike.evaluation.evaluation import Accuracy, Evaluation, wilson_interval
from loihi_onespike.evaluation.image_counts import Counts
from loihi_onespike.evaluation.parts import Shard

__all__ = ["Accuracy", "Counts", "Evaluation", "Shard", "wilson_interval"]
