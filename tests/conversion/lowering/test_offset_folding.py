"""The value of no spike becomes part of the biases of its readers."""

from __future__ import annotations

import numpy as np

from loihi_onespike.conversion.lowering.offset_folding import fold_offsets
from loihi_onespike.core.graphs.stage import Stage
from tests.support.stage_graphs import two_layers


def test_the_bias_takes_the_weights_times_the_offset() -> None:
    graph = two_layers()
    stage = graph.by_name["signed"]
    assert isinstance(stage, Stage)
    folded = fold_offsets(stage, {"hidden": np.array([1.0, 2.0, 4.0])}, graph)
    np.testing.assert_allclose(folded.bias, [1 + 4 + 0.5, -2 + 4])
    assert fold_offsets(stage, {"input": np.ones(())}, graph) is stage
