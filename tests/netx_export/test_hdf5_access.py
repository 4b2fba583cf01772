"""Hostile files are refused with a FormatError that names the field, within limits of time and memory."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

import netx_export
from loihi_onespike.core.codes import BinaryCode
from loihi_onespike.core.graphs.network import InputPopulation, Membrane, Network, Readout, Synapse
from loihi_onespike.core.maps import Diagonal
from loihi_onespike.errors import FormatError
from netx_export.encode import encode
from netx_export.hdf5_access import Hdf5Access
from netx_export.storage import image
from tests.netx_export.hostile_files import CASES
from tests.support.equal import assert_same
from tests.support.guarded import Outcome, guarded
from tests.support.networks import graph

MEGABYTES = 512
SECONDS = 5.0


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    folder = tmp_path_factory.mktemp("hostile")
    paths = [folder / f"{name}.h5" for name in CASES]
    for path, make in zip(paths, CASES.values(), strict=True):
        make(path)
    found = guarded("netx", paths, seconds=SECONDS)
    return {path.stem: outcome for path, outcome in found.items()}


@pytest.mark.parametrize("case", CASES)
def test_a_hostile_file_is_refused(case: str, outcomes: dict[str, Outcome]) -> None:
    found = outcomes[case]
    assert found.error == "FormatError", found
    assert found.seconds < SECONDS and found.megabytes < MEGABYTES, found
    assert len(found.message) < 1000 and found.message.isprintable()


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("virtual_on_itself", "layer/1/weight: must be stored contiguous, compact, chunked, got the layout virtual"),
        ("external_storage", "layer/1/weight: must be stored in this file itself, got external storage"),
        ("external_link", "layer/1/weight: must be stored in this file itself, got a link to another file"),
        ("external_link_instead_of_a_layer", "layer/1: must be stored in this file itself"),
        ("soft_link", "got a soft link"),
        ("pipe", "must be a regular file, got a named pipe (FIFO); copy its content to a file"),
        ("device", "must be a regular file, got a device"),
        ("folder", "must be a regular file, got a folder"),
        ("lfs_pointer", "is a pointer of Git LFS and not the file itself; fetch the file with: git lfs pull"),
        ("deflated_twice", "must have the filters shuffle and deflate, each once at most, got deflate, deflate"),
        ("chunk_larger_than_the_data", "chunks must not be larger than the data"),
        ("near_the_ratio_of_deflate", "store it without compression"),
        ("flattened_input", "gather: must flatten at most"),
    ],
)
def test_the_message_says_what_and_where(case: str, words: str, outcomes: dict[str, Outcome]) -> None:
    assert words in outcomes[case].message


@pytest.mark.slow
def test_a_network_of_hundreds_of_megabytes_of_zeros_can_be_read_again(tmp_path: Path) -> None:
    """What deflates better than a reader admits is stored without compression."""
    size = 2**25
    source = InputPopulation("input", (size,), BinaryCode(1), np.array(1.0), np.array(0.0))
    membrane = Membrane((4096,), 0, np.zeros(size, np.int64), np.array(1.0))
    synapse = Synapse("readout", "input", "readout", Diagonal(np.array([2], np.int16)))
    network = Network("zeros", (source, Readout("readout", (size,), membrane)), (synapse,))
    netx_export.write(network, tmp_path / "zeros.h5")
    assert (tmp_path / "zeros.h5").stat().st_size > 4 * size
    assert_same(netx_export.read(tmp_path / "zeros.h5"), network)


def test_other_writers_may_use_the_filters_of_the_format(tmp_path: Path) -> None:
    path = tmp_path / "other.h5"
    for options in ({"compression": "gzip"}, {"shuffle": True}, {"compression": "gzip", "shuffle": True}, {}):
        path.write_bytes(image(encode(graph())))
        with h5py.File(path, "r+") as file:
            for name in ("layer/1/weight", "layer/2/weight"):
                values = file[name][()]
                del file[name]
                file.create_dataset(name, data=values, chunks=(2, *values.shape[1:]), **options)
        assert_same(netx_export.read(path), graph())


@pytest.fixture
def made() -> Iterator[tuple[h5py.File, Hdf5Access]]:
    """An empty file in memory of 1,000,000 bytes, as a reader takes it."""
    with h5py.File(io.BytesIO(), "w", libver="latest") as file:
        yield file, Hdf5Access(file, 10**6)


def test_what_is_missing_is_told_by_its_path(made: tuple[h5py.File, Hdf5Access]) -> None:
    file, access = made
    file.create_group("layer")
    assert access.group("layer/1") is None and access.group("nothing/1") is None and access.names("layer") == []
    for path in ("layer/weight", "nothing/weight", "layer/"):
        with pytest.raises(FormatError, match="is missing; the file is damaged or was edited"):
            access.dataset(path)
    for path in ("layer/shape", "nothing/shape"):
        with pytest.raises(FormatError, match="is missing; the file is damaged or was edited"):
            access.attribute(path)


def test_attributes_of_other_forms(made: tuple[h5py.File, Hdf5Access]) -> None:
    file, access = made
    file.attrs["free"] = "of any length"
    file.attrs["long"] = np.zeros(10**6 + 1, np.uint8)
    file.attrs["fits"] = np.zeros(10**6, np.uint8)
    with pytest.raises(FormatError, match="free: must be of numbers or a text of fixed length"):
        access.attribute("free")
    with pytest.raises(FormatError, match="long: requires 1000001 bytes, limit 1000000"):
        access.attribute("long")
    assert access.attribute("fits").shape == (10**6,)
    with pytest.raises(FormatError, match="requires 1048577 bytes, limit 1048576"):
        file.attrs["longer"] = np.zeros(2**20 + 1, np.uint8)
        Hdf5Access(file, 10**7).attribute("longer")


def test_what_a_chunked_data_set_claims(made: tuple[h5py.File, Hdf5Access]) -> None:
    """90 × 50 places in chunks of 20 × 40 take 100 × 80 places of 8 bytes with their padding."""
    file, access = made
    file.create_dataset("a", (90, 50), "<f8", chunks=(20, 40))
    with pytest.raises(FormatError, match="a: claims 64000 bytes, 0 are stored"):
        access.dataset("a")


def test_more_is_stored_than_the_file_has(made: tuple[h5py.File, Hdf5Access]) -> None:
    file, _ = made
    file["a"] = np.zeros(300, "<f8")
    assert Hdf5Access(file, 2400).dataset("a").shape == (300,)
    with pytest.raises(FormatError, match="a: claims 2400 bytes, 2400 are stored; the file is damaged"):
        Hdf5Access(file, 2399).dataset("a")


def test_a_shape_beyond_what_deflate_reaches(made: tuple[h5py.File, Hdf5Access]) -> None:
    """One stored chunk of 4 KiB of zeros cannot justify 1,100 times as much and more."""
    file, access = made
    data = file.create_dataset("a", (2**20,), "u1", chunks=(2**12,), compression="gzip")
    data[: 2**12] = np.zeros(2**12, "u1")
    with pytest.raises(FormatError, match=r"a: claims 1048576 bytes, \d+ are stored; the file is damaged"):
        access.dataset("a")
