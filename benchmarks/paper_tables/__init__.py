"""The experiments of arXiv 2403.08786 as commands, on any model and data: `python -m benchmarks.paper_tables`."""
