"""Recording stand-in for the neuro-core half of Lava."""
