"""Counts of a run and what they cost: the paper's measure, and time and energy on a board."""
