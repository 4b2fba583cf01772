"""Converted networks for the field's other tools: `neurobench`, a harness of benchmarks; `nir`, an exchange format."""
