"""Converted networks as models of the field's other tools: `neurobench`, the harness of NeuroBench."""
