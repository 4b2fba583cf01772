"""What is known of a population before any data."""

from __future__ import annotations

import numpy as np

from loihi_onespike.conversion.calibration.population import PopulationTarget
from loihi_onespike.conversion.method import Method
from loihi_onespike.core.graphs.stage import Stage
from tests.support.stage_graphs import two_layers


def _target(name: str, method: Method) -> PopulationTarget:
    graph = two_layers()
    stage = graph.by_name[name]
    assert isinstance(stage, Stage)
    return PopulationTarget.of(graph, stage, np.full(1, 2.0), method)


def test_a_relu_may_be_two_sided_and_a_signed_population_is_symmetric() -> None:
    hidden, signed = _target("hidden", Method()), _target("signed", Method())
    assert hidden.two_sided and not signed.two_sided
    assert hidden.largest.tolist() == [2.0, 2.0, 2.0] and hidden.channels.count == 3
    values = hidden.values(np.ones((3, 4))), signed.values(np.ones((2, 4)))
    assert [v.symmetric for v in values] == [False, True] and all(v.common for v in values)
    assert not _target("hidden", Method(two_sided=False)).two_sided
