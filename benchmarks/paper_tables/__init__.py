"""The experiments of arXiv 2403.08786 on any model and data: `python -m benchmarks.paper_tables`."""
