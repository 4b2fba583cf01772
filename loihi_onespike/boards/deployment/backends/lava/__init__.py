"""Boards through Lava and lava-loihi: the one place of deployment that knows Lava.

Only `entry` is imported before a run; what imports Lava itself is loaded in a process of its own.
"""
