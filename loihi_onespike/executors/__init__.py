"""Executors of one-spike networks: reference (the oracle), fast, float, microcode and lava."""
