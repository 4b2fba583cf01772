"""Layers of graph networks: populations of shape (nodes, features)."""
