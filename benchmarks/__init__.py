"""Measurements of accuracy, speed, memory and size; `python -m benchmarks.NAME --help` explains each."""
