"""An input that is read beside other stages is sent again by a population of its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from loihi_onespike.conversion.lowering.recode_mixed_input import recode_mixed_input
from loihi_onespike.core.graphs.stage import Link
from loihi_onespike.core.maps import Dense
from tests.support.stage_graphs import two_layers


def test_only_readers_of_the_input_and_other_stages_change() -> None:
    graph = replace(two_layers(), plans={}, input_plan=None)
    assert recode_mixed_input(graph) is graph
    around = Link("input", Dense(np.eye(2)), None, np.ones(()))
    output = replace(graph.output, links=(*graph.output.links, around))
    recoded = recode_mixed_input(replace(graph, stages=(*graph.stages[:-1], output)))
    assert [s.name for s in recoded.stages] == ["input", "input.recoded", "hidden", "signed", "output"]
    assert [k.pre for k in recoded.output.links] == ["signed", "input.recoded"]
    assert recoded.rewrites[-1].startswith("input: sent again by input.recoded")
