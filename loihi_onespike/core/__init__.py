"""The domain in numpy: codes, linear maps, activations, the three graphs and traces. Nothing here imports torch."""
