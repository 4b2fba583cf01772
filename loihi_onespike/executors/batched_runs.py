"""Runs over many inputs that are cut into batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.gnn.sparse_sample import SparseSample


def in_batches(run: Callable[[Any], NDArray[np.float64]], inputs: Any, batch: int) -> NDArray[np.float64]:
    """Outputs (N, …) of inputs (N, …), at most `batch` of them at a time.

    Args:
        run: returns the outputs of one batch.
        inputs: an array, or images that are read when they are sliced; a sparse sample is one input and runs as it is.
        batch: the most inputs of one call.
    """
    if isinstance(inputs, SparseSample):
        return run(inputs)
    return np.concatenate([run(inputs[i : i + batch]) for i in range(0, max(len(inputs), 1), batch)])
