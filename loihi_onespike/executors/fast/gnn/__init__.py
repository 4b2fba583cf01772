"""Layers over the nodes of a graph."""
