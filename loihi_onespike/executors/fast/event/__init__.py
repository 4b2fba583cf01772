"""Layers in the event-driven kernel: every spike is scattered once."""
