"""Calibration without training: levels, scales, thresholds, weights and biases chosen on data (beyond the paper)."""

from loihi_onespike.conversion.method import Method

__all__ = ["Method"]
