"""Boards as data, mapping, energy and deployment."""
