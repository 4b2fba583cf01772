"""Codes of a sparse input with fewer spikes, and their errors at the output."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from loihi_onespike.conversion.calibration.priced_input import SENT_SHARES, input_candidates
from loihi_onespike.core.codes import BinaryCode
from loihi_onespike.core.encoding import encode_values
from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.core.graphs.stage import InputPlan, InputStage, Link, OutputStage, StageGraph
from loihi_onespike.core.maps import Dense

CHANCE = np.random.default_rng(0)


def _graph(nodes: int, bits: int, largest: float) -> StageGraph:
    link = Link("x", Dense(CHANCE.normal(size=(4, nodes))), None, np.ones(()))
    plan = InputPlan(BinaryCode(bits), BinaryCode(bits).scale_of_range(np.array(largest)), np.zeros(()))
    stages = (InputStage("x", (nodes, nodes)), OutputStage("y", (nodes, 4), (link,), np.zeros(())))
    return StageGraph("graph", stages, input_plan=plan)


def _sample(nodes: int) -> SparseSample:
    matrix = sp.random(nodes, nodes, 0.3, random_state=0, format="csr")
    matrix.data = np.exp(2 * CHANCE.normal(size=matrix.nnz))
    return SparseSample(matrix)


def test_fewer_spikes_cost_errors_that_are_measured() -> None:
    x = _sample(40)
    graph = _graph(40, 10, float(x.matrix.data.max()))
    found = input_candidates(graph, x, 16)
    binary = [c for c in found if c.plan.code.multi_spike]
    single = [c for c in found if not c.plan.code.multi_spike]
    assert [c.plan.code.timesteps for c in binary] == list(range(9, 9 - len(binary), -1)) and single
    assert all(c.plan.code.timesteps == 16 and c.plan.dithered for c in single)
    shares = [c.spikes for c in single]
    np.testing.assert_allclose(shares, SENT_SHARES[: len(single)], atol=0.04)
    for some in (binary, single):
        assert [c.spikes for c in some] == sorted((c.spikes for c in some), reverse=True)
    assert [c.error for c in binary] == sorted(c.error for c in binary) and binary[0].error < 1e-3
    weight = graph.output.links[0].op.weight.T
    for tried in (binary[-1], single[-1]):
        words = encode_values(tried.plan, x)
        assert isinstance(words, SparseSample)
        sent = tried.plan.code.decode(words.matrix.toarray()) * float(tried.plan.scale)
        exact, missing = x.matrix @ weight, (sent - x.matrix) @ weight
        power = [np.square(y - y.mean(axis=0)).sum() for y in map(np.asarray, (missing, exact))]
        assert tried.error == pytest.approx(power[0] / power[1], rel=1e-3)


def test_fewer_spikes_keep_the_sum_of_all_entries() -> None:
    x = _sample(60)
    for tried in input_candidates(_graph(60, 10, float(x.matrix.data.max())), x, 16):
        words = encode_values(tried.plan, x)
        assert isinstance(words, SparseSample)
        sent = tried.plan.code.decode(words.matrix.data) * float(tried.plan.scale)
        assert sent.sum() == pytest.approx(x.matrix.data.sum(), rel=0.05)


def test_entries_of_one_size_have_one_code_of_one_spike() -> None:
    x = _sample(20)
    same = x.with_data(np.full(x.matrix.nnz, 3.0))
    (single,) = (c for c in input_candidates(_graph(20, 2, 3.0), same, 16) if not c.plan.code.multi_spike)
    assert single.spikes == 1 and single.error < 1e-6


def test_other_inputs_keep_their_code() -> None:
    graph, x = _graph(20, 8, 1.0), _sample(20)
    assert graph.input_plan is not None
    shifted = replace(graph, input_plan=replace(graph.input_plan, offset=np.full((), -1.0)))
    assert input_candidates(shifted, x, 16) == []
