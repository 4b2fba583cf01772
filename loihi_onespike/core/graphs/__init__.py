"""The three graphs: the ANN, its stages in real numbers, and the integer network."""
