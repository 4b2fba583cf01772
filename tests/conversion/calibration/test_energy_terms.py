"""Energy of an image by its spikes, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from loihi_onespike.conversion.calibration.energy_terms import alpha_terms, board_terms
from loihi_onespike.core.graphs.stage import StageGraph
from loihi_onespike.core.operation_prices import OperationPrices
from tests.support.stage_graphs import two_layers


def _with_macs() -> StageGraph:
    graph = two_layers()
    macs = {"hidden": 6, "signed": 6, "output": 4}
    stages = [graph.input]
    for stage in graph.stages[1:]:
        links = tuple(replace(link, macs=macs[stage.name]) for link in stage.links)  # type: ignore[union-attr]
        stages.append(replace(stage, links=links))  # type: ignore[arg-type]
    return replace(graph, stages=tuple(stages))


def test_additions_by_hand() -> None:
    """16 multiply-accumulates: 6 read the input, 6 the hidden and 4 the signed population. 0.75 is 110 in 3 bits."""
    graph = _with_macs()
    x = np.array([[0.75, 0.75], [0.0, 0.5]])
    terms = alpha_terms(graph, x)
    assert terms.per_spike == {"hidden": 6 / 16, "signed": 4 / 16}
    assert terms.with_payload(0) == 1 and terms.with_payload(3) == 4
    assert terms.constant == 0
    assert terms.per_input_spike == 6 / 16 and terms.input_spikes == 5 / 4


def test_energy_of_a_board_by_hand() -> None:
    """Windows of 3 + 4, 4 + 4 and 4 steps; a spike of the input has 3 targets, of both others 2, in 16 MACs at 2 pJ."""
    graph = _with_macs()
    prices = OperationPrices("a board", "a table", 2.0, 10.0, 1.0, 0.5)
    terms = board_terms(graph, np.array([[0.75, 0.75], [0.0, 0.5]]), 4, None, prices)
    assert terms.per_spike == {"hidden": (6 * 2 + 3 * 0.5) / 32, "signed": (4 * 2 + 2 * 0.5) / 32}
    updates = 3 * (7 * 10 + 1) + 2 * 8 * 10 + 2 * (4 * 10 + 4)
    assert terms.constant == pytest.approx(updates / 32)
    assert terms.with_payload(3) == 1
    assert terms.per_input_spike * terms.input_spikes == pytest.approx(2.5 * 3 * 2 / 32)
