"""Fields of each map, written down by hand, and what the readers refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from loihi_onespike.core.maps import Conv, Dense, Diagonal, LinearMap, Pool, Shape, Sparse, Window
from loihi_onespike.errors import FormatError
from netx_export.fields import Fields
from netx_export.map_fields import DECODERS, ENCODERS, decoder
from netx_export.values import Array, FieldMap, integer, integers
from tests.support.equal import assert_same

LINE = Window((3,), (2,), ((1, 0),), (1,))
MATRIX = np.array([[2, 0], [0, -4], [6, 8]], np.int16)
CASES: list[tuple[LinearMap, Shape, dict[str, Any], dict[str, Any]]] = [
    (Dense(MATRIX), (2,), {"type": [b"dense"], "inFeatures": 2, "outFeatures": 3, "weight": MATRIX.tolist()}, {}),
    (Dense(MATRIX), (5, 2), {"type": [b"denseLast"], "inFeatures": 2, "outFeatures": 3, "weight": MATRIX.tolist()}, {}),
    (Diagonal(MATRIX), (3, 2), {"type": [b"diagonal"], "weight": MATRIX.tolist()}, {}),
    (
        Sparse(sp.csr_matrix(MATRIX)),
        (2, 7),
        {"type": [b"sparse"], "weight": [2, -4, 6, 8], "inFeatures": 2, "outFeatures": 3},
        {"indices": [0, 1, 0, 1], "indptr": [0, 1, 2, 4]},
    ),
    (  # one spatial axis stands as (1, n); the sides of the padding differ, so that NetX's own field is absent
        Conv(np.full((4, 1, 3), 2, np.int16), LINE, 2),
        (2, 9),
        {
            "type": [b"conv"], "inChannels": 2, "outChannels": 4, "groups": 2, "kernelSize": [1, 3], "stride": [1, 2],
            "dilation": [1, 1], "weight": [[[[2, 2, 2]]]] * 4,
        },
        {"padding": [[1, 0]]},
    ),
    (
        Pool(Window((2, 2), (2, 1), ((1, 1), (0, 0)), (1, 1)), np.array(6, np.int16)),
        (3, 4, 4),
        {
            "type": [b"pool"], "kernelSize": [2, 2], "stride": [2, 1], "dilation": [1, 1], "padding": [1, 0],
            "weight": [[[[6, 6], [6, 6]]]],
        },
        {"padding": [[1, 1], [0, 0]]},
    ),
]  # fmt: skip


def decoded(standard: FieldMap, wiring: FieldMap) -> LinearMap:
    """The map of a layer with these fields."""
    stored = {f"layer/1/{name}": array for name, array in standard.items()}
    stored |= {f"layer/1/onespike/synapse/0/{name}": array for name, array in wiring.items()}
    fields, kind = Fields(stored, "layer/1/"), standard["type"].item().decode()
    return DECODERS[kind](fields, fields.at("onespike/synapse/0"), standard["weight"], kind)


@pytest.mark.parametrize(("op", "seen", "standard", "wiring"), CASES)
def test_fields_of_a_map_and_back(op: LinearMap, seen: Shape, standard: dict[str, Any], wiring: dict[str, Any]) -> None:
    fields = ENCODERS[op](op, seen)
    assert {name: array.tolist() for name, array in fields.standard.items()} == standard
    assert {name: array.tolist() for name, array in fields.wiring.items()} == wiring
    assert fields.standard["weight"].dtype == np.dtype("<i2")
    assert_same(decoded(fields.standard, fields.wiring), op)


def changed(place: int, name: str, value: Array, wiring: bool = False) -> LinearMap:
    """The map of a case with one other field."""
    op, seen, *_ = CASES[place]
    fields = ENCODERS[op](op, seen)
    more = {name: value}
    return decoded(fields.standard | ({} if wiring else more), fields.wiring | (more if wiring else {}))


@pytest.mark.parametrize(
    ("place", "name", "value", "wiring", "message"),
    [
        (0, "weight", np.zeros((1, 2, 3), "<i2"), False, r"must have 2 axes \(outputs, inputs\), got 3"),
        (3, "weight", np.zeros((2, 2), "<i2"), False, r"must have 1 axis \(non-zeros\), got 2"),
        (3, "outFeatures", integer(4), False, "must have 5 entries, got 4"),
        (3, "indptr", np.array([0, 2, 1, 4], "<i4"), True, "must rise from 0 to 4"),
        (3, "indices", np.array([0, 1, 0, 2], "<i4"), True, r"must be in 0\.\.1, got 0\.\.2"),
        (3, "indices", np.array([0, 1, -1, 1], "<i4"), True, r"must be in 0\.\.1, got -1\.\.1"),
        (4, "padding", np.array([[1], [0]], "<i8"), True, r"must have the shape \(spatial axes, 2\), got \(2, 1\)"),
        (4, "stride", integers((2, 2)), False, r"must be \(1, …\) for one spatial axis, got \(2, 2\)"),
        (4, "kernelSize", integers((1, 2)), False, r"must be \(1, 3\), as the weights have, got \(2,\)"),
        (4, "kernelSize", integers((1, 4)), False, r"must be \(1, 3\), as the weights have, got \(4,\)"),
        (4, "groups", integer(5), False, r"must be in 1\.\.4, got 5"),
        (5, "weight", np.array([[[[6, 6], [6, 8]]]], "<i2"), False, "the weights of a pooling window differ"),
        (5, "weight", np.array([[[[6, 6], [6, 4]]]], "<i2"), False, "the weights of a pooling window differ"),
    ],
)
def test_fields_that_describe_no_map(place: int, name: str, value: Array, wiring: bool, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        changed(place, name, value, wiring)


def test_a_layer_type_has_one_reader() -> None:
    with pytest.raises(ValueError, match="conv: this layer type has a reader already"):
        decoder("conv")(DECODERS["conv"])
