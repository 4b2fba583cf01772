"""Lava Processes on the host that keep what a board sends, and their models."""
