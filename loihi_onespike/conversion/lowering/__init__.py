"""ANN graph to stages: which neurons there are and what each of them sums."""
