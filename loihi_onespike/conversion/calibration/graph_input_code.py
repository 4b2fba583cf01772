"""Code of the input of a graph network, chosen on its one sample (docs/arithmetic.md, graph networks)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.conversion.calibration.input_code import enough_bits, fold_offset
from loihi_onespike.conversion.codes_of_options import InputCode
from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.core.graphs.stage import InputPlan, StageGraph
from loihi_onespike.errors import CalibrationError


def plan_graph_input(graph: StageGraph, sample: NDArray[np.floating] | SparseSample, code: InputCode) -> StageGraph:
    """The graph with a plan of its input.

    A sparse input has one range for all entries, from 0 to the largest, so that a missing entry sends no spike. A dense
    input has one range per feature. A sparse input with negative entries is planned as a dense one.

    Args:
        graph: stages whose input is planned.
        sample: features or adjacency, dense or sparse.
        code: code of the input, or "auto".

    Raises:
        CalibrationError: all values are zero.
    """
    values = sample.matrix.data if isinstance(sample, SparseSample) else sample
    if not values.size or not np.any(values):
        raise CalibrationError(
            "graph: must contain a value other than zero, got only zeros; check adjacency and features"
        )
    if isinstance(sample, SparseSample) and values.min() < 0:
        sample = sample.dense("an input that may be negative")
    if isinstance(sample, SparseSample):
        low, high = np.zeros(()), np.array(values.max(), np.float64)
        variance = np.mean(np.square(values, dtype=np.float64))  # about zero, which sends no spike
    else:
        low = np.minimum(sample.min(axis=(0, 1)), 0).astype(np.float64)[None]
        high = np.maximum(sample.max(axis=(0, 1)), 0).astype(np.float64)[None]
        variance = sample.var(axis=(0, 1), dtype=np.float64)[None]
    span = np.where(high > low, high - low, 1.0)
    if code == "auto":
        code = enough_bits(high - low, variance)
    return fold_offset(graph, InputPlan(code, code.scale_of_range(span), low))
