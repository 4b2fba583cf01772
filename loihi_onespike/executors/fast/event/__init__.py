"""Layers in the event-driven kernel, which adds the weights of every spike once."""
