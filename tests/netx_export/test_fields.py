"""Fields that pass the digests but say something wrong: a FormatError that names the field, or a consistent network."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from loihi_onespike.errors import FormatError
from netx_export.decode import decode
from netx_export.encode import encode
from netx_export.values import FieldMap, integer, text
from tests.support.networks import graph, nodes

OPTIONAL = ("delay", "padding", "negativeMant", "negativeShift", "netxPadding", "wgtExp")
NETWORKS = (encode(graph()), encode(nodes()))


def _refused(fields: FieldMap) -> str:
    """The field that is blamed; empty when the fields make up a network that says the same again."""
    try:
        network = decode(fields)
    except FormatError as error:
        assert error.field
        return error.field
    again = encode(network)
    assert again.keys() == fields.keys()
    assert all(np.array_equal(again[name], value) for name, value in fields.items())
    return ""


@pytest.mark.parametrize("fields", NETWORKS, ids=["graph", "nodes"])
def test_every_field_is_needed(fields: FieldMap) -> None:
    for name in fields:
        blamed = _refused({key: value for key, value in fields.items() if key != name})
        optional = name.endswith(OPTIONAL)
        assert blamed or optional, name
        assert optional or name.rsplit("/", 1)[0] in blamed or name.endswith(("/name", "/type")), (name, blamed)


@pytest.mark.parametrize("fields", NETWORKS, ids=["graph", "nodes"])
def test_renamed_fields(fields: FieldMap) -> None:
    for name in fields:
        assert _refused({(f"{key}x" if key == name else key): value for key, value in fields.items()}), name


OTHER_TYPES: tuple[Callable[[np.ndarray], np.ndarray], ...] = (
    lambda a: a.astype("S4") if a.dtype.kind != "S" else np.array(3, "<i8"),
    lambda a: a.astype("<f4") if a.dtype.kind != "S" else np.array([1.5]),
    lambda a: a.astype(a.dtype.newbyteorder(">")) if a.dtype.kind != "S" else np.array([[b"x"]]),
)
OTHER_SHAPES: tuple[Callable[[np.ndarray], np.ndarray], ...] = (
    lambda a: np.stack([a, a]),
    lambda a: a[..., None],
    lambda a: np.concatenate([a.ravel(), a.ravel(), a.ravel()[:1]]),
    lambda a: a.ravel()[:0],
    lambda a: np.zeros((2, 0, 3), a.dtype),
)


@pytest.mark.parametrize("number", range(len(OTHER_TYPES)))
@pytest.mark.parametrize("fields", NETWORKS, ids=["graph", "nodes"])
def test_retyped_fields(fields: FieldMap, number: int) -> None:
    for name, array in fields.items():
        assert _refused({**fields, name: OTHER_TYPES[number](array)}), name


@pytest.mark.parametrize("number", range(len(OTHER_SHAPES)))
@pytest.mark.parametrize("fields", NETWORKS, ids=["graph", "nodes"])
def test_reshaped_fields(fields: FieldMap, number: int) -> None:
    for name, array in fields.items():
        blamed = _refused({**fields, name: OTHER_SHAPES[number](array)})
        broadcasts = name.endswith(("unit", "scale", "vInit", "vThMant", "offset", "weight"))
        assert blamed or broadcasts, name


@pytest.mark.parametrize("fields", NETWORKS, ids=["graph", "nodes"])
def test_random_values_in_every_field(fields: FieldMap) -> None:
    rng = np.random.default_rng(11)
    for name, array in fields.items():
        for bits in (3, 40):
            if array.dtype.kind == "S":
                changed = np.array(rng.bytes(array.dtype.itemsize), array.dtype).reshape(array.shape)
            else:
                changed = np.asarray(rng.integers(-(2**bits), 2**bits, array.shape)).astype(array.dtype)
            _refused({**fields, name: changed})


CASES: dict[str, tuple[str, np.ndarray, str]] = {
    "leak": ("layer/1/neuron/gainMant", integer(4095), "must be in 4096..65536"),
    "steps": ("layer/1/neuron/inputSteps", integer(0), "must be in 1.."),
    "shift": ("layer/1/neuron/inputShift", integer(17), "must be in 0..16"),
    "base": ("layer/1/neuron/base", integer(4096), "must be in 4097"),
    "floor": ("layer/1/neuron/thresholdShift", integer(2), "must be in 0..1"),
    "neuron": ("layer/1/neuron/type", np.array([b"CUBA"], "S10"), "must be one of ONESPIKE, READOUT"),
    "layer": ("layer/1/type", np.array([b"convT"], "S10"), "must be one of conv"),
    "exponent": ("layer/2/wgtExp", integer(8), "must be in 1..7"),
    "groups": ("layer/1/groups", integer(3), "input channels"),
    "sizes": ("layer/1/inChannels", integer(9), "the rest of the file says"),
    "kernel": ("layer/1/kernelSize", np.array([1, 1]), "as the weights have"),
    "sample": ("simulation/tSample", integer(1), "the rest of the file says"),
    "pre": ("layer/1/onespike/synapse/0/pre", text("nobody"), "must be the name of an earlier"),
    "gather": ("layer/1/onespike/synapse/0/gather", text("all"), "must be one of none, flatten, index"),
    "facts": ("onespike/facts", text("[1]"), "must be a JSON object"),
    "json": ("onespike/facts", text("{"), "is not JSON"),
    "bits": ("layer/0/onespike/bits", integer(17), "must be in 1..16"),
    "shape": ("layer/1/onespike/shape", np.array([2**40, 2**40, 3]), "must be in 1.."),
    "neurons": ("layer/1/onespike/shape", np.array([2**26, 2**26, 3]), "neurons"),
    "offset": ("layer/0/onespike/offset", np.zeros((7, 7)), "must broadcast"),
    "finite": ("layer/1/neuron/scale", np.array(np.nan), "not finite"),
    "unit": ("layer/1/neuron/unit", np.array(-1.0), "unit must be positive"),
    "threshold": ("layer/1/neuron/vThMant", np.array(2**23, "<i4"), "24 bits"),
    "odd": ("layer/1/weight", np.full((4, 2, 2, 3), 3, "<i2"), "even integers"),
    "table": ("layer/1/neuron/tableMant", np.full(4, 2**15, "<i4"), "values must be in -32767..32767"),
    "phases": ("layer/1/neuron/tableShift", np.zeros(3, "<i4"), "must have 4 entries, got 3"),
    "wait": ("layer/1/neuron/wait", integer(99), "wait must be in 0.."),
}


@pytest.mark.parametrize("case", CASES)
def test_a_value_out_of_range_is_named(case: str) -> None:
    name, value, message = CASES[case]
    fields = encode(graph())
    assert name in fields
    with pytest.raises(FormatError, match=message) as caught:
        decode({**fields, name: value})
    assert name.startswith(caught.value.field)
