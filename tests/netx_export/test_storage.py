"""Damaged, truncated, edited and foreign files: a FormatError that names the field, or the very same network."""

from __future__ import annotations

import io
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
from h5py import h5g

from loihi_onespike.errors import FormatError
from netx_export import read, storage, write
from netx_export.encode import encode
from netx_export.layout import FORMAT, VERSION
from netx_export.storage import image
from tests.strategies import random_network
from tests.support.equal import assert_same
from tests.support.networks import graph, payload

SEED_OF_DAMAGE = 11
LFS_POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 54500\n"
"""What a clone without Git LFS holds in place of a file (specification of Git LFS, docs/spec.md)."""


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("good") / "graph.net"
    write(graph(), path)
    return path.read_bytes()


def _read_or_refuse(path: Path, good: bytes, data: bytes) -> str:
    path.write_bytes(data)
    try:
        network = read(path)
    except FormatError as error:
        assert error.field
        return error.field
    write(network, path)
    assert path.read_bytes() == good, "damage went unnoticed and changed the network"
    return ""


def test_truncation_at_any_place(good: bytes, tmp_path: Path) -> None:
    rng = np.random.default_rng(SEED_OF_DAMAGE)
    for length in [0, 1, 7, 8, 47, 48, len(good) - 1, *rng.integers(0, len(good), 150)]:
        assert _read_or_refuse(tmp_path / "cut.net", good, good[:length]), f"{length} bytes were read"


@pytest.mark.thorough
def test_flipped_bits(good: bytes, tmp_path: Path) -> None:
    rng = np.random.default_rng(SEED_OF_DAMAGE)
    refused = 0
    for _ in range(250):
        data = bytearray(good)
        data[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
        refused += bool(_read_or_refuse(tmp_path / "flip.net", good, bytes(data)))
    assert refused > 150, "most bytes of a small file carry something"


@pytest.mark.thorough
def test_overwritten_stretches(good: bytes, tmp_path: Path) -> None:
    rng = np.random.default_rng(SEED_OF_DAMAGE)
    for _ in range(150):
        data = bytearray(good)
        start, length = int(rng.integers(len(data))), int(rng.integers(1, 3000))
        stretch = slice(start, min(len(data), start + length))
        data[stretch] = rng.integers(0, 256, stretch.stop - start, dtype=np.uint8).tobytes()
        _read_or_refuse(tmp_path / "over.net", good, bytes(data))


def test_a_flipped_weight_is_found_and_named(tmp_path: Path) -> None:
    path = tmp_path / "edited.net"
    write(graph(), path)
    with h5py.File(path, "r+") as file:
        weight = file["layer/1/weight"][()]
        weight.flat[0] += 2
        file["layer/1/weight"][...] = weight
    with pytest.raises(FormatError, match="does not match its digest") as caught:
        read(path)
    assert caught.value.field == "layer/1/weight"


def test_a_newer_version_says_so(tmp_path: Path) -> None:
    write(random_network(1), tmp_path / "new.net")
    with h5py.File(tmp_path / "new.net", "r+") as file:
        file["onespike"].attrs["version"] = VERSION + 1
    said = rf"must be in 1\.\.{VERSION} for this release, got version {VERSION + 1}; upgrade"
    with pytest.raises(FormatError, match=said):
        read(tmp_path / "new.net")


def test_a_field_that_the_stated_version_lacks(tmp_path: Path) -> None:
    """A release before payloads would refuse the field too, and must not be told that it knows the file."""
    write(payload(), tmp_path / "old.net")
    with h5py.File(tmp_path / "old.net", "r+") as file:
        file["onespike"].attrs["version"] = 2
    with pytest.raises(FormatError, match="requires version 3 of the format, the file states version 2") as caught:
        read(tmp_path / "old.net")
    assert caught.value.field == "layer/0/onespike/messages"


@pytest.mark.parametrize(("name", "value"), [("format", np.bytes_("other")), ("version", 0), ("version", "one")])
def test_wrong_marks(name: str, value: object, tmp_path: Path) -> None:
    write(random_network(1), tmp_path / "marks.net")
    with h5py.File(tmp_path / "marks.net", "r+") as file:
        file["onespike"].attrs[name] = value
    with pytest.raises(FormatError, match=f"onespike@{name}"):
        read(tmp_path / "marks.net")


def test_netx_files_of_other_neurons(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "cuba.net", "w") as file:
        file["layer/0/type"] = np.array([b"input"], "S10")
        file["layer/1/neuron/type"] = "CUBA"
    with pytest.raises(FormatError, match="found CUBA: a NetX file of other neurons"):
        read(tmp_path / "cuba.net")


def test_other_files(tmp_path: Path) -> None:
    (tmp_path / "text.net").write_text("hello")
    with pytest.raises(FormatError, match="is not an HDF5 file"):
        read(tmp_path / "text.net")
    (tmp_path / "pointer.net").write_text(LFS_POINTER)
    message = r"pointer\.net: is a pointer of Git LFS .*; fetch the file with: git lfs pull"
    with pytest.raises(FormatError, match=message):
        read(tmp_path / "pointer.net")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["data"] = np.arange(3)
    with pytest.raises(FormatError, match="is not a one-spike network"):
        read(tmp_path / "other.h5")
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "missing.net")


def test_a_hostile_size_is_refused_before_memory_is_reserved(tmp_path: Path) -> None:
    """A data set may claim terabytes without storing a byte."""
    write(random_network(1), tmp_path / "huge.net")
    with h5py.File(tmp_path / "huge.net", "r+") as file:
        del file["layer/1/weight"]
        file.create_dataset("layer/1/weight", (2**20, 2**20), "<i2", chunks=(1024, 1024), compression="gzip")
    with pytest.raises(FormatError, match=r"claims .* bytes, 0 are stored") as caught:
        read(tmp_path / "huge.net")
    assert caught.value.field == "layer/1/weight"
    assert FORMAT == "onespike-netx"


def test_no_object_of_a_file_has_a_time() -> None:
    """So that the bytes are the same whenever they are written."""
    with h5py.File(io.BytesIO(image(encode(graph()))), "r") as file:
        objects = [file["/"].id, file["layer/1"].id, file["layer/1/weight"].id, file["onespike/manifest"].id]
        plists = [found.get_create_plist() for found in objects[2:]]
        assert [h5g.get_objinfo(found, b".").mtime for found in objects[:2]] == [0, 0]
    assert not any(plist.get_obj_track_times() for plist in plists)


@pytest.mark.parametrize("skipped", [0, 1, 2, 3])
def test_a_chunk_may_leave_out_filters(tmp_path: Path, skipped: int) -> None:
    """Bit 0 of the mask of a chunk says that shuffle was left out, bit 1 that deflate was (HDF5 does so at will)."""
    path = tmp_path / "mask.h5"
    path.write_bytes(image(encode(graph())))
    with h5py.File(path, "r+") as file:
        values = file["layer/1/weight"][()]
        del file["layer/1/weight"]
        data = file.create_dataset(
            "layer/1/weight", values.shape, values.dtype, chunks=values.shape, shuffle=True, compression="gzip"
        )
        stored = values.tobytes() if skipped & 1 else values.view(np.uint8).reshape(-1, values.itemsize).T.tobytes()
        data.id.write_direct_chunk((0,) * values.ndim, stored if skipped & 2 else zlib.compress(stored), skipped)
    assert_same(read(path), graph())


def test_what_compresses_too_well_is_stored_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader must admit what the file declares for its size."""
    packed = image(encode(payload()))
    monkeypatch.setattr(storage, "budget", lambda size: 0)
    assert image(encode(payload())) == storage._image(encode(payload()), deflate=False) != packed
    assert packed == storage._image(encode(payload()), deflate=True)
