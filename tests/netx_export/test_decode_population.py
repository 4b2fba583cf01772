"""Populations read from the fields of one layer."""

from __future__ import annotations

import numpy as np
import pytest

from loihi_onespike.core.codes import Base, BinaryCode, Codebook, PhaseCode
from loihi_onespike.core.graphs.network import InputPopulation, Population, Readout
from loihi_onespike.errors import FormatError
from netx_export.decode_population import read_population
from netx_export.encode import FieldMap, encode
from netx_export.fields import Fields
from tests.support.networks import chain, graph, levels, nodes, products, sides


def layer(fields: FieldMap, number: int, **changes: np.ndarray) -> Fields:
    named = {f"layer/{number}/{name.replace('__', '/')}": value for name, value in changes.items()}
    return Fields({**fields, **named}).at(f"layer/{number}")


def test_an_input_with_binary_code() -> None:
    found = read_population(layer(encode(graph()), 0))
    assert isinstance(found, InputPopulation)
    assert (found.name, found.shape, found.code) == ("input", (2, 4, 5), BinaryCode(4))
    assert found.scale.shape == (2, 1, 1) and float(found.offset) == -0.5


def test_an_input_of_single_spikes() -> None:
    found = read_population(layer(encode(nodes()), 0))
    assert isinstance(found, InputPopulation) and found.code == PhaseCode(Base.nearest(1.3), 4)


def test_spiking_neurons() -> None:
    found = read_population(layer(encode(graph()), 2))
    assert isinstance(found, Population)
    assert (found.name, found.wait, found.kind) == ("deep", 3, "relu") and not found.signed
    assert found.membrane.leak == (5325,) * 4 and found.membrane.bias.shape == (4, 4, 4)
    assert found.threshold.shape == (4, 1, 1) and found.threshold.ravel()[[0, -1]].tolist() == [1050, 2100]


def test_two_sided_neurons_with_a_codebook() -> None:
    found = read_population(layer(encode(levels()), 1))
    assert isinstance(found, Population) and isinstance(found.code, Codebook) and found.signed
    assert np.allclose(found.code.levels(), [0.8, 0.5, 0.25, 0.1], rtol=1e-3)
    assert found.offset.ravel().tolist() == [0.25, 0.375, 0.5]


def test_neurons_that_send_no_negative_spikes() -> None:
    found = read_population(layer(encode(sides()), 1))
    assert isinstance(found, Population) and found.one_sided is not None and found.one_sided.dtype == bool
    assert found.one_sided.ravel().tolist() == [True, False, True, False] and found.one_sided.shape == (4, 1, 1)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.array([1, 0, 2, 0], "u1").reshape(4, 1, 1), r"values must be in 0\.\.1, got 0\.\.2"),
        (np.ones((3, 1, 1), "u1"), r"must broadcast to \(4, 4, 4\), got shape \(3, 1, 1\)"),
        (np.ones((2, 4, 4, 4), "u1"), r"must broadcast to \(4, 4, 4\)"),
        (np.ones((4, 1, 1), "<i4"), "must be uint8, got type int32"),
        (np.ones((0, 1, 1), "u1"), r"must broadcast to \(4, 4, 4\), got shape \(0, 1, 1\)"),
    ],
)
def test_sides_out_of_range(value: np.ndarray, message: str) -> None:
    with pytest.raises(FormatError, match=message) as caught:
        read_population(layer(encode(sides()), 1, neuron__oneSided=value))
    assert caught.value.field == "layer/1/neuron/oneSided"


def test_a_readout() -> None:
    found = read_population(layer(encode(chain()), 5))
    assert isinstance(found, Readout) and (found.finish, found.order) == ("softmax", None)


def test_as_many_axes_as_the_format_has() -> None:
    fields = encode(chain())
    changes = {"neuron__bias": np.zeros((1,) * 16, "<i8"), "neuron__unit": np.ones((1,) * 16)}
    changes = {name: value for name, value in changes.items() if f"layer/5/{name.replace('__', '/')}" in fields}
    found = read_population(layer(fields, 5, onespike__shape=np.ones(16, "<i8"), **changes))
    assert found.shape == (1,) * 16


def test_the_order_of_a_readout() -> None:
    order = np.array([[9, -1], [0, 4]], "<i4")
    found = read_population(layer(encode(chain()), 5, onespike__order=order))
    assert isinstance(found, Readout) and found.order is not None and found.order.tolist() == order.tolist()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("onespike__shape", np.array([2**20, 2**20]), "1 to 134217728 neurons"),
        ("onespike__shape", np.ones(17, "<i8"), "1 to 134217728 neurons"),
        ("onespike__kind", np.array(b"input"), "must be one of readout"),
        ("onespike__finish", np.array(b"argmax"), "must be one of identity"),
        ("neuron__inputShift", np.array(17), "must be in 0..16"),
        ("neuron__gainMant", np.array(4095), "must be in 4096..65536"),
        ("neuron__unit", np.array(np.inf), "not finite"),
        ("onespike__order", np.array([10], "<i4"), "at least one entry in -1..9"),
        ("onespike__order", np.array([3, -2], "<i4"), "at least one entry in -1..9"),
        ("onespike__order", np.zeros((0, 2), "<i4"), "at least one entry in -1..9"),
    ],
)
def test_a_readout_out_of_range(name: str, value: np.ndarray, message: str) -> None:
    with pytest.raises(FormatError, match=message) as caught:
        read_population(layer(encode(chain()), 5, **{name: value}))
    assert caught.value.field == f"layer/5/{name.replace('__', '/')}"


def test_a_product() -> None:
    found = read_population(layer(encode(products()), 2))
    assert isinstance(found, Population) and found.product is not None
    assert (found.product.shift, found.product.bias.shape) == (7, (2, 4, 4))
    assert found.membrane.leak == (8192,) * 3 and found.product.membrane.leak == (5325,) * 4


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("neuron__productShift", np.array(47), "must be in 0..46"),
        ("neuron__productBias", np.array([2.5]), "must be int32"),
        ("neuron__second__inputShift", np.array(17), "must be in 0..16"),
        ("neuron__second__gainMant", np.array(4095), "must be in 4096..65536"),
        ("neuron__second__unit", np.array(np.nan), "not finite"),
    ],
)
def test_a_product_out_of_range(name: str, value: np.ndarray, message: str) -> None:
    with pytest.raises(FormatError, match=message) as caught:
        read_population(layer(encode(products()), 2, **{name: value}))
    assert caught.value.field == f"layer/2/{name.replace('__', '/')}"
