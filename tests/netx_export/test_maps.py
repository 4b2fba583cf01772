"""Maps that the random networks do not contain, and arrays of other types than the file's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from loihi_onespike.core.codes import BinaryCode
from loihi_onespike.core.graphs.network import InputPopulation, Membrane, Network, Readout, Synapse
from loihi_onespike.core.graphs.verify_network import verify
from loihi_onespike.core.maps import Conv, Dense, Diagonal, LinearMap, Pool, Shape, Window
from loihi_onespike.errors import FormatError, GraphError
from netx_export import read, write
from netx_export.decode import decode
from netx_export.encode import encode
from tests.support.equal import assert_same

CUBE = Window((2, 1, 3), (1, 2, 1), ((1, 0), (0, 0), (2, 2)), (1, 1, 1))


def _network(op: LinearMap, shape: Shape, out: Shape, index: np.ndarray | None = None) -> Network:
    source = InputPopulation("input", shape, BinaryCode(3), np.array(1.0), np.array(0.0))
    membrane = Membrane((8192,) * 3, 0, np.zeros((), np.int64), np.array(1.0))
    return verify(Network("one", (source, Readout("out", out, membrane)), (Synapse("out", "input", "out", op, index),)))


def _even(shape: Shape, kind: str = "int16") -> np.ndarray:
    return (2 * np.random.default_rng(0).integers(-127, 128, shape)).astype(kind)


@pytest.mark.parametrize(
    ("op", "shape", "out", "kind"),
    [
        (Conv(_even((4, 1, 2, 1, 3)), CUBE, groups=2), (2, 3, 4, 5), (4, 3, 2, 7), b"convNd"),
        (Pool(CUBE, np.array(2, np.int16)), (2, 3, 4, 5), (2, 3, 2, 7), b"pool"),
        (Dense(_even((3, 5))), (2, 4, 5), (2, 4, 3), b"denseLast"),
        (Dense(_even((3, 5))), (5,), (3,), b"dense"),
        (Diagonal(_even((2, 1))), (2, 6), (2, 6), b"diagonal"),
    ],
)
def test_round_trip(op: LinearMap, shape: Shape, out: Shape, kind: bytes, tmp_path: Path) -> None:
    network = _network(op, shape, out)
    assert encode(network)["layer/1/type"][0] == kind
    write(network, tmp_path / "one.net")
    assert_same(read(tmp_path / "one.net"), network)


def test_wider_integers_become_the_files_types(tmp_path: Path) -> None:
    index = np.arange(6)[::-1].copy()
    wide = _network(Dense(_even((3, 6), "int64")), (2, 3), (3,), index)
    write(wide, tmp_path / "wide.net")
    (found,) = read(tmp_path / "wide.net").synapses
    assert found.op.weight.dtype == np.int16
    assert found.index is not None and found.index.dtype == np.int32
    assert np.array_equal(found.op.weight, wide.synapses[0].op.weight)
    assert np.array_equal(found.index, index)


def test_a_flattening_is_a_layer_and_no_index() -> None:
    fields = encode(_network(Dense(_even((3, 6))), (2, 3), (3,), np.arange(6, dtype=np.int32)))
    assert fields["layer/1/type"][0] == b"flatten"
    assert fields["layer/1/shape"].tolist() == [6]
    assert not any(name.endswith("/index") for name in fields)
    moved = {name.replace("layer/2", "layer/1"): value for name, value in fields.items() if "layer/1" not in name}
    with pytest.raises(FormatError, match="layer/1"):
        decode(moved)


@pytest.mark.parametrize("first", ["flat", "moved"])
def test_the_first_group_tells_whether_a_flattening_stands_before_a_population(first: str, tmp_path: Path) -> None:
    network = _network(Dense(_even((3, 6))), (2, 3), (3,), np.arange(6, dtype=np.int32))
    (flat,) = network.synapses
    moved = replace(flat, name="moved", index=np.arange(6, dtype=np.int32)[::-1].copy())
    both = (flat, moved) if first == "flat" else (moved, flat)
    network = verify(replace(network, synapses=both))
    assert encode(network)["layer/1/type"][0] == (b"flatten" if first == "flat" else b"dense")
    write(network, tmp_path / "both.net")
    assert_same(read(tmp_path / "both.net"), network)


def test_an_invalid_network_is_not_written(tmp_path: Path) -> None:
    network = _network(Dense(_even((3, 6))), (6,), (3,))
    odd = Network("odd", network.populations, (Synapse("out", "input", "out", Dense(_even((3, 6)) + 1)),))
    with pytest.raises(GraphError, match="even integers"):
        write(odd, tmp_path / "odd.net")
    assert not list(tmp_path.iterdir())
