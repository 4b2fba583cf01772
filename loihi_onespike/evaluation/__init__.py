"""Accuracy, agreement, spikes and cost of a network on labelled data."""

from loihi_onespike.evaluation.report import Accuracy, Evaluation, wilson_interval

__all__ = ["Accuracy", "Evaluation", "wilson_interval"]
