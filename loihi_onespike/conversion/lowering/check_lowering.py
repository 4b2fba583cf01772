"""What a model computes against what was made of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.errors import GraphError

LOWERING_TOLERANCE = 1e-3
"""Largest difference between model and lowered graph, relative to the largest output."""


def compare_outputs(name: str, expected: NDArray[np.float64], found: NDArray[np.float64]) -> None:
    """Raises GraphError when the output of the model and that of what was made of it are not the same."""
    if expected.shape != found.shape:
        raise GraphError(f"{name}: the model gives shape {expected.shape}, the converted graph {found.shape}")
    largest = max(float(np.abs(expected).max(initial=0)), 1e-12)
    difference = float(np.abs(expected - found).max(initial=0)) / largest
    if not difference <= LOWERING_TOLERANCE:
        raise GraphError(
            f"{name}: the converted graph differs from the model by {difference:.2g} of its largest output, "
            f"supported {LOWERING_TOLERANCE:g}; a layer that does not compute in eval mode what its name says (a "
            "patched forward, a random operation) is the usual reason"
        )
