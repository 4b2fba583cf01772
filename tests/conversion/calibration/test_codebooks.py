"""Populations that are read together share one code."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from loihi_onespike.conversion.calibration.codebooks import groups
from loihi_onespike.core.graphs.stage import Link
from loihi_onespike.core.maps import Dense
from tests.support.stage_graphs import two_layers


def test_groups_follow_the_readers() -> None:
    graph = two_layers()
    assert [[s.name for s in group] for group in groups(graph)] == [["hidden"], ["signed"]]
    around = Link("hidden", Dense(np.ones((2, 3))), None, np.ones(()))
    output = replace(graph.output, links=(*graph.output.links, around))
    joined = replace(graph, stages=(*graph.stages[:-1], output))
    assert [[s.name for s in group] for group in groups(joined)] == [["hidden", "signed"]]
