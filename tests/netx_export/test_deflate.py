"""Chunks packed by hand: what HDF5 inflates is what was packed, in little room."""

from __future__ import annotations

import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loihi_onespike.core.codes import BinaryCode
from loihi_onespike.core.graphs.network import InputPopulation, Membrane, Network, Readout, Synapse
from loihi_onespike.core.maps import Dense
from netx_export import deflate, read, write
from netx_export.deflate import restore
from netx_export.storage import image, load


def _undo(data: bytes, size: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    planes = np.frombuffer(zlib.decompress(data), np.uint8).reshape(dtype.itemsize, -1)
    return np.ascontiguousarray(planes.T).view(dtype).reshape(size)


@given(
    st.sampled_from(["<i2", "<i4", "<f8", "|u1"]),
    st.lists(st.integers(1, 40), min_size=1, max_size=4),
    st.integers(1, 200),
    st.integers(0, 99),
)
@settings(max_examples=60, deadline=None)
def test_chunks_cover_the_array(kind: str, shape: list[int], room: int, seed: int) -> None:
    dtype = np.dtype(kind)
    shape = shape if np.prod(shape) < 20_000 else shape[:2]
    array = np.random.default_rng(seed).integers(0, 100, shape).astype(dtype)
    whole, kept = np.full(shape, 255).astype(dtype), deflate.CHUNK_ELEMENTS
    deflate.CHUNK_ELEMENTS = room
    try:
        size = deflate.chunk_shape(array.shape)
        assert np.prod(size) <= max(room, 1)
        for offset, data in deflate.chunks(array):
            part = _undo(data, size, dtype)
            place = tuple(slice(o, min(o + c, n)) for o, c, n in zip(offset, size, array.shape, strict=True))
            whole[place] = part[tuple(slice(0, p.stop - p.start) for p in place)]
    finally:
        deflate.CHUNK_ELEMENTS = kept
    assert np.array_equal(whole, array)


@pytest.mark.parametrize("shape", [(5000,), (1025, 1025), (3, 700, 701), (64, 64, 3, 3)])
def test_hdf5_reads_it_without_help(shape: tuple[int, ...], tmp_path: Path) -> None:
    weight = (2 * np.random.default_rng(3).integers(-127, 128, shape)).astype("<i2")
    (tmp_path / "a.net").write_bytes(image({"layer/0/weight": weight}))
    with h5py.File(tmp_path / "a.net") as file:
        data = file["layer/0/weight"]
        assert (data.compression, data.shuffle) == ("gzip", True)
        assert np.array_equal(data[()], weight)
        assert np.array_equal(data[..., -1], weight[..., -1])
    assert np.array_equal(load(tmp_path / "a.net")["layer/0/weight"], weight)


@pytest.mark.parametrize("values", ["normal", "uniform"])
def test_int8_weights_need_at_most_1_1_bytes_each(values: str, tmp_path: Path) -> None:
    """Trained weights are close to normal, with the largest of a channel at 127; uniform ones are the worst case."""
    rng = np.random.default_rng(1)
    weight = rng.standard_normal((800, 1250)) if values == "normal" else rng.uniform(-1, 1, (800, 1250))
    weight = 2 * np.rint(weight / np.abs(weight).max(1, keepdims=True) * 127)
    source = InputPopulation("input", (1250,), BinaryCode(8), np.array(1.0), np.array(0.0))
    membrane = Membrane((8192,) * 8, 0, np.zeros(800, np.int64), np.full(800, 1e-3))
    synapse = Synapse("readout", "input", "readout", Dense(weight.astype(np.int16)))
    write(Network("size", (source, Readout("readout", (800,), membrane)), (synapse,)), tmp_path / "size.net")
    assert (tmp_path / "size.net").stat().st_size <= 1.1 * weight.size
    assert np.array_equal(read(tmp_path / "size.net").synapses[0].op.weight, weight)


def test_regular_indices_are_packed_small() -> None:
    """Gathers repeat their low bytes every 256 places; the strategy is chosen by trial, so that this is used."""
    index = np.arange(2**18, dtype="<i4")
    assert len(deflate.shuffled_deflate(index)) < index.nbytes / 50


@pytest.mark.parametrize("filters", [["shuffle"], ["deflate"], ["shuffle", "deflate"]])
@pytest.mark.parametrize("shape", [(5, 3), (4, 3), (5, 2), (2, 1)])
def test_chunks_are_restored(filters: list[str], shape: tuple[int, int]) -> None:
    """Whole chunks, and those that reach over the border of the array along either axis."""
    chunk = np.arange(15, dtype="<i4").reshape(5, 3) * 70_001
    raw = chunk.reshape(-1, 1).view(np.uint8).T.tobytes() if "shuffle" in filters else chunk.tobytes()
    whole = np.zeros((7, 4), "<i4")
    restore(zlib.compress(raw) if "deflate" in filters else raw, filters, (5, 3), whole[: shape[0], : shape[1]])
    rows = np.zeros(shape, "<i4")
    restore(zlib.compress(raw) if "deflate" in filters else raw, filters, (5, 3), rows)
    assert np.array_equal(rows, chunk[: shape[0], : shape[1]])
    assert np.array_equal(whole[: shape[0], : shape[1]], rows) and np.count_nonzero(whole) == np.count_nonzero(rows)


@pytest.mark.parametrize("size", [0, 59, 61, 10_000])
def test_a_chunk_of_another_size_is_refused(size: int) -> None:
    for stored, filters in ((bytes(size), ["shuffle"]), (zlib.compress(bytes(size)), ["deflate"])):
        with pytest.raises(ValueError, match="a chunk must"):
            restore(stored, filters, (5, 3), np.zeros((5, 3), "<i4"))
