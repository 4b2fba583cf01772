"""Inputs side by side."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from loihi_onespike.core.graphs.input_parts import InputParts, parts_of_inputs
from loihi_onespike.errors import ConfigurationError, FormatError
from tests.support.networks import chain

PARTS = InputParts(("a", "b"), ((2, 3), (4,)))


def test_arrays_side_by_side() -> None:
    a, b = np.arange(12.0).reshape(2, 2, 3), np.arange(8.0).reshape(2, 4)
    flat = PARTS.joined("x", [a, b])
    assert flat.shape == (2, PARTS.size) == (2, 10)
    first, second = PARTS.slices
    np.testing.assert_array_equal(flat[:, first].reshape(a.shape), a)
    np.testing.assert_array_equal(flat[:, second], b)
    assert PARTS.in_order("x", {"b": 1, "a": 0}) == PARTS.in_order("x", (0, 1)) == [0, 1]
    with pytest.raises(ConfigurationError, match=r"^x\['b'\]: must have shape \(N, 4\), got \(2, 3\)"):
        PARTS.joined("x", [a, b[:, :3]])
    with pytest.raises(ConfigurationError, match=r"^x: must be a tuple or mapping of 2 inputs \(a, b\), got ndarray"):
        PARTS.in_order("x", a)


def test_record_of_a_file() -> None:
    facts = json.loads(json.dumps(PARTS.to_facts()))
    assert InputParts.from_facts(facts) == PARTS
    network = chain()
    assert parts_of_inputs(network) is None
    with pytest.raises(FormatError, match="inputs must have"):
        parts_of_inputs(replace(network, facts={"inputs": facts}))
    damaged: object
    for damaged in (None, {"parts": []}, {"parts": [["a"]]}, {"parts": [[1, [2]]]}, {"parts": [["a", [2.0]]]}):
        with pytest.raises(FormatError, match="inputs must be names with shapes"):
            InputParts.from_facts(damaged)
