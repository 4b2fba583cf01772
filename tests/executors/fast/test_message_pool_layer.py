"""Max pooling of messages is a minimum of words: words, v and peaks are those of the oracle all the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from loihi_onespike.core.codes import PayloadCode, ThresholdTable
from loihi_onespike.core.graphs.network import InputPopulation, Membrane, Population, Synapse
from loihi_onespike.core.maps import Diagonal
from loihi_onespike.core.trace import first_difference
from loihi_onespike.executors import reference
from loihi_onespike.executors.fast.fast_executor import FastExecutor
from loihi_onespike.executors.fast.message_pool_layer import MessagePoolLayer
from tests.strategies import random_case

CODE = PayloadCode((4096, 8192), (3, 2, 3, 2))
SOURCE = InputPopulation("input", (4,), CODE, np.ones(()), np.zeros(()))
POOL = Population(
    "pool", (2,), "max_pool", Membrane((4096, 4096), 0, np.array(0), np.ones(())), 0, CODE, np.array(1),
    ThresholdTable.of_messages(CODE.messages), None, np.ones(()),
)  # fmt: skip


def group(i: int, weight: int, index: list[int], exponent: int = 0) -> tuple[Synapse, InputPopulation | Population]:
    op = Diagonal(np.full(1, weight, np.int16))
    return Synapse(f"pool.{i}", "input", "pool", op, np.array(index, np.int32), exponent), SOURCE


INPUTS = [group(0, 2, [0, 2]), group(1, 4, [1, -1], 1)]
"""Digits of two bits: neurons 0 and 1 for the first pool, neuron 2 alone for the second."""


def test_words_sums_and_peaks_by_hand() -> None:
    """Words 3 and 2 pass 2, v = 2 · 3 + 8 · 2; word 4 alone passes, v = 2 · 2. The largest sum of a step is 16."""
    layer = MessagePoolLayer.of(POOL, INPUTS)
    assert layer is not None
    trace = layer.run_batch({"input": np.array([[3, 2, 4, 1], [0, 0, 0, 1]], np.int16)})
    assert trace.words is not None and trace.words.tolist() == [[2, 4], [0, 0]]
    assert trace.v is not None and trace.v.tolist() == [[22, 4], [0, 0]]
    assert (trace.peak, trace.input_peak) == (22, 16)


def test_random_networks_hold_pools_of_messages() -> None:
    pools = 0
    for seed in range(80):
        case = random_case(seed, payload=80, max_hidden=3, input_ranks=(3,))
        fast = FastExecutor(case.network)
        found = [name for name, layer in fast.layers.items() if isinstance(layer, MessagePoolLayer)]
        if not found:
            continue
        expected, traced = reference.run(*case), fast.run(case.codes)
        assert first_difference(expected, traced) is None
        without = fast.run(case.codes, potentials=False)
        for name in found:
            a, b = expected.layers[name], traced.layers[name]
            assert (a.peak, a.input_peak) == (b.peak, b.input_peak)
            assert np.array_equal(a.words, without.layers[name].words)  # type: ignore[arg-type]
        pools += len(found)
    assert pools > 5


@pytest.mark.parametrize(
    ("change", "inputs"),
    [
        ({"kind": "relu"}, INPUTS),
        ({"threshold": np.array(2)}, INPUTS),  # message 1 would not reach it
        ({"code": PayloadCode((4096, 8192), (3, 2, 2, 1))}, INPUTS),  # not the words of its input
        ({}, [INPUTS[0], group(1, 2, [1, -1], 0)]),  # two neurons in one digit
        ({}, [INPUTS[0], group(1, 4, [1, -1], 0)]),  # between two digits
        ({}, [INPUTS[0], group(1, 6, [1, -1], 0)]),  # no power of two
    ],
)
def test_what_only_looks_like_such_a_pool_is_computed(change: dict[str, object], inputs: list) -> None:
    assert MessagePoolLayer.of(POOL, INPUTS) is not None
    assert MessagePoolLayer.of(replace(POOL, **change), inputs) is None  # type: ignore[arg-type]
