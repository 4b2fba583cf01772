"""Structures of several outputs."""

from __future__ import annotations

import json
from collections import namedtuple
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from loihi_onespike.core.graphs.output_form import OutputForm, form_of, joined, output_shapes, split
from loihi_onespike.errors import ConfigurationError, FormatError
from tests.support.networks import chain, outputs

Pair = namedtuple("Pair", ["left", "right"])
RETURNED: Any = {"a": [0, Pair(1, (2, 0))], 5: None, "b": "text", "c": ()}
"""A structure with the numbers of outputs in place of tensors; 5, None and text are no outputs."""


def number(leaf: Any) -> int | None:
    """The number that stands for a tensor."""
    return leaf if type(leaf) is int else None


def test_a_structure_survives_json() -> None:
    form = OutputForm.of(RETURNED, number)
    again = OutputForm.from_facts(json.loads(json.dumps(form.to_facts())))
    assert again == form
    assert form.count == 3
    values = ["x", "y", "z"]
    made = again.restored(values)
    assert made == {"a": ["x", ("y", ("z", "x"))], 5: None, "b": "text", "c": ()}
    assert made["a"][1].right == ("z", "x")
    assert again.parts(made) == values


def test_another_structure_is_not_taken_apart() -> None:
    with pytest.raises(ValueError, match="zip"):
        OutputForm.of((0, 1), number).parts(("x",))


@pytest.mark.parametrize("wrong", [{(1, 2): 0}, object(), np.zeros(2)])
def test_what_json_cannot_hold_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^output: must be tensors in tuples"):
        OutputForm.of([0, wrong], number)


@pytest.mark.parametrize(
    "tree",
    [
        None,
        [],
        {"output": -1},
        {"output": True},
        {"value": [1]},
        {"tuple": {"output": 0}},
        {"dict": [["a"]]},
        {"named": ["class", [["import os", {"output": 0}]]]},
        {"named": ["not a name", []]},
        {"output": 0, "value": 1},
        {"set": []},
    ],
)
def test_damaged_records_are_refused(tree: Any) -> None:
    with pytest.raises(FormatError, match="outputs must be a structure"):
        OutputForm.from_facts({"tree": tree})


def test_outputs_of_a_network() -> None:
    network = outputs()
    assert output_shapes(network) == [(2, 4, 4), (2,), (6,)]
    parts = [np.arange(3.0 * np.prod(shape)).reshape(3, *shape) for shape in output_shapes(network)]
    flat = joined(parts)
    assert flat.shape == (3, 40)
    for part, again in zip(parts, split(network, flat), strict=True):
        np.testing.assert_array_equal(part, again)
    form = form_of(network)
    assert form is not None
    assert set(form.restored(parts)) == {"map", "rest"}
    assert form_of(replace(network, facts={})) == OutputForm.of_tuple(3)
    assert form_of(chain()) is None
    with pytest.raises(FormatError, match="numbers of 3 readouts"):
        form_of(replace(network, facts={"outputs": OutputForm.of_tuple(2).to_facts()}))
