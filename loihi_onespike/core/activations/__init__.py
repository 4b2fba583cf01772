"""Monotone activations."""

from loihi_onespike.core.activations.activation import IDENTITY, KINDS, RELU, Activation

__all__ = ["IDENTITY", "KINDS", "RELU", "Activation"]
