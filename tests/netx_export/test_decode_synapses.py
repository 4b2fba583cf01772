"""Synapse groups read from the fields of one layer."""

from __future__ import annotations

import numpy as np
import pytest

from loihi_onespike.core.graphs.network import Network
from loihi_onespike.core.maps import Conv, Dense, Diagonal, Pool, Sparse
from loihi_onespike.errors import FormatError
from netx_export.decode_synapses import read_synapses
from netx_export.encode import encode
from netx_export.fields import Fields
from tests.support.networks import chain, graph, nodes, products


def read(network: Network, number: int, **changes: np.ndarray) -> list:
    fields = {**encode(network), **{f"layer/{number}/{k.replace('__', '/')}": v for k, v in changes.items()}}
    shapes = {p.name: p.shape for p in network.populations}
    return read_synapses(Fields(fields).at(f"layer/{number}"), shapes)


def test_maps_of_every_kind() -> None:
    (conv,) = read(chain(), 1)
    assert isinstance(conv.op, Conv) and (conv.name, conv.pre, conv.post) == ("conv1", "input", "conv1")
    assert conv.op.window.padding == ((1, 1), (1, 1)) and conv.op.weight.shape == (3, 1, 3, 3) and conv.index is None
    (pool,) = read(chain(), 2)
    assert isinstance(pool.op, Pool) and pool.op.window.stride == (2, 2) and int(pool.op.weight) == 2
    (dense,) = read(chain(), 5)
    assert isinstance(dense.op, Dense) and dense.index.tolist() == list(range(16))
    (sparse,) = read(nodes(), 1)
    assert isinstance(sparse.op, Sparse) and sparse.op.weight.shape == (5, 4)


def test_a_window_over_one_axis() -> None:
    (line,) = read(nodes(), 2)
    assert line.op.window.kernel == (4,) and line.op.window.padding == ((3, 4),) and line.axon_delay == 2


def test_several_groups_onto_one_population() -> None:
    first, second = read(graph(), 4)
    assert isinstance(first.op, Diagonal) and isinstance(second.op, Diagonal)
    assert (first.pre, first.weight_exp) == ("deep", 0) and (second.pre, second.weight_exp) == ("late", 2)
    assert second.index.shape == (4, 4, 4) and second.index[0, 0, 0] == -1


def test_the_input_has_no_synapses() -> None:
    assert read(chain(), 0) == []


@pytest.mark.parametrize(
    ("network", "number", "name", "value"),
    [
        (chain(), 1, "type", np.array([b"LSTM"], "S10")),
        (chain(), 1, "delay", np.array(63)),
        (chain(), 1, "wgtExp", np.array(8)),
        (chain(), 1, "groups", np.array(0)),
        (chain(), 1, "kernelSize", np.array([2, 3])),
        (chain(), 1, "stride", np.array([0, 1])),
        (chain(), 1, "onespike__synapse__0__pre", np.array(b"later")),
        (chain(), 1, "onespike__synapse__0__padding", np.zeros((2, 3), "<i8")),
        (chain(), 2, "weight", np.array([[[[2, 2], [2, 4]]]], "<i2")),
        (chain(), 5, "weight", np.zeros((10, 16, 1), "<i2")),
        (products(), 2, "onespike__synapse__1__factor", np.array(2)),
        (nodes(), 1, "onespike__synapse__0__indptr", np.zeros(3, "<i4")),
        (nodes(), 1, "onespike__synapse__0__indices", np.full(4, 9, "<i4")),
        (graph(), 4, "onespike__synapse__1__index", np.zeros((0, 4), "<i4")),
        (graph(), 4, "onespike__synapse__1__index", np.array(3, "<i4")),
    ],
)
def test_what_is_refused_is_named(network: Network, number: int, name: str, value: np.ndarray) -> None:
    with pytest.raises(FormatError) as caught:
        read(network, number, **{name: value})
    assert caught.value.field == f"layer/{number}/{name.replace('__', '/')}"
