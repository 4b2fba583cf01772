"""Runs with errors switched off, and what is counted in them."""
