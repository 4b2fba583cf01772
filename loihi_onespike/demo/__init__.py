"""The demo: a small CNN on handwritten digits, from PyTorch to Lava. `onespike demo` runs it."""
