"""Layers decided by bounds around one float map; neurons that the bounds do not decide are computed exactly."""
