"""Counts of a run and what they cost."""
