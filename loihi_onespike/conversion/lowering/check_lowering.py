"""Check of the lowering: stages without codes must compute the same as the model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.core.graphs.stage import StageGraph
from loihi_onespike.errors import GraphError
from loihi_onespike.executors.float.float_executor import FloatExecutor

LOWERING_TOLERANCE = 1e-3
"""Largest difference between model and lowered stages, relative to the largest output."""


def check_lowering(stages: StageGraph, x: NDArray[np.floating] | SparseSample, expected: NDArray[np.float64]) -> None:
    """Compare the output of the stages, without any code, with the output of the model.

        max |model(x) - stages(x)| ≤ LOWERING_TOLERANCE · max |model(x)|

    Args:
        stages: stages that were lowered from the model.
        x: inputs (N, *shape), or one sparse sample.
        expected: (N, *output shape) output of the model for them.

    Raises:
        GraphError: the outputs differ in shape or in value.
    """
    found = FloatExecutor(stages, coded=False).run(x)
    if expected.shape != found.shape:
        raise GraphError(
            f"{stages.name}: the converted graph must give shape {expected.shape} as the model does, got {found.shape}"
        )
    largest = max(float(np.abs(expected).max(initial=0)), 1e-12)
    difference = float(np.abs(expected - found).max(initial=0)) / largest
    if not difference <= LOWERING_TOLERANCE:
        raise GraphError(
            f"{stages.name}: the converted graph differs from the model by {difference:.2g} of its largest output, "
            f"limit {LOWERING_TOLERANCE:g}; the usual reason is a layer that does not compute in eval mode what its "
            "name says (a patched forward, a random operation)"
        )
