"""Hostile files are refused with a FormatError that names the field, within limits of time and memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import netx_export
from loihi_onespike.core.codes import BinaryCode
from loihi_onespike.core.graphs.network import InputPopulation, Membrane, Network, Readout, Synapse
from loihi_onespike.core.maps import Diagonal
from netx_export.encode import encode
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
    import h5py

    path = tmp_path / "other.h5"
    for options in ({"compression": "gzip"}, {"shuffle": True}, {"compression": "gzip", "shuffle": True}, {}):
        path.write_bytes(image(encode(graph())))
        with h5py.File(path, "r+") as file:
            for name in ("layer/1/weight", "layer/2/weight"):
                values = file[name][()]
                del file[name]
                file.create_dataset(name, data=values, chunks=(2, *values.shape[1:]), **options)
        assert_same(netx_export.read(path), graph())
