"""A stage with rounded weights computes, in the units of the ANN, what its integers will compute."""

from __future__ import annotations

import numpy as np

from loihi_onespike.conversion.quantization.rounded_stage import rounded_stage
from loihi_onespike.core.graphs.stage import Stage
from tests.support.stage_graphs import two_layers


def test_weights_on_the_grid_stay_what_they_are() -> None:
    graph = two_layers()
    stage = graph.by_name["hidden"]
    assert isinstance(stage, Stage)
    rounded = rounded_stage(stage, graph, 8)
    (link,) = rounded.links
    real = link.op.weight * np.broadcast_to(link.scale, (3,))[:, None]
    np.testing.assert_allclose(real, [[1, 0], [0, 1], [1, -1]])
    assert rounded.grid is not None and rounded.grid.exponents == (0,)
    np.testing.assert_allclose(np.broadcast_to(rounded.grid.unit, (3,)), 1 / 254)


def test_two_bits_leave_three_values() -> None:
    graph = two_layers()
    stage = graph.by_name["signed"]
    assert isinstance(stage, Stage)
    (link,) = rounded_stage(stage, graph, 2).links
    real = link.op.weight * np.broadcast_to(link.scale, (2,))[:, None]
    np.testing.assert_allclose(real, [[0, 2, 0], [0, -1, 1]])  # 1 is half of 2, and goes to the even 0
