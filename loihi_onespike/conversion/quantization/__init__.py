"""Planned stages to the integer network, with proof of its head-room."""
