"""Layers decided by bounds around one float map, recomputed exactly where the bounds leave a doubt."""
