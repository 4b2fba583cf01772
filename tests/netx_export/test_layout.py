"""The table of fields, the documentation and the files say the same."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from netx_export import FORMAT, VERSION, write
from netx_export.encode import encode
from netx_export.fields import check_field
from netx_export.layout import FIELDS, pattern, table
from tests.strategies import random_network
from tests.support.networks import chain, digits, dips, dithered, outputs, payload, products, sides

DOCS = Path(__file__).parents[2] / "docs" / "netx_format.md"


def test_the_documentation_holds_the_table() -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert table() in text, "run `python -m netx_export.layout` and put the table into docs/netx_format.md"
    assert f"version {VERSION}" in text
    assert FORMAT in text


@pytest.mark.thorough
def test_every_stored_field_is_in_the_table_and_every_entry_is_used() -> None:
    seen = set()
    plain = (random_network(seed) for seed in range(200))
    of_products = (random_network(seed, products=50) for seed in range(20))
    for network in (payload(), digits(), dips(), outputs(), dithered(), sides(), *plain, *of_products):
        for path, array in encode(network).items():
            check_field(path, array.dtype, array.ndim)
            seen.add(pattern(path))
    unused = {name for name in FIELDS if name not in seen}
    # In second and further groups only the fields of the maps that joins consist of occur.
    assert all("/synapse/@/" in name for name in unused), unused


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("layer/12/weight", "layer/#/weight"),
        ("layer/0/onespike/synapse/3/index", "layer/#/onespike/synapse/@/index"),
        ("layer/01/weight", "layer/01/weight"),
        ("layer/x/weight", "layer/x/weight"),
        ("onespike/facts", "onespike/facts"),
    ],
)
def test_patterns(path: str, expected: str) -> None:
    assert pattern(path) == expected


def test_values_in_the_file_are_plain_hdf5(tmp_path: Path) -> None:
    """What another program sees, by hand for one layer."""
    write(chain(), tmp_path / "chain.net")
    with h5py.File(tmp_path / "chain.net") as file:
        assert file["onespike"].attrs["format"] == b"onespike-netx"
        assert file["onespike"].attrs["version"] == 2, "no payload, so it stays readable for releases before payloads"
        layer = file["layer/1"]
        assert layer["type"][0] == b"conv"
        assert layer["shape"][()].tolist() == [3, 8, 8]
        assert layer["weight"].shape == (3, 1, 3, 3)
        assert layer["weight"].dtype == np.int16
        assert layer["padding"][()].tolist() == [1, 1]
        assert layer["neuron/type"][0] == b"ONESPIKE"
        assert layer["neuron"].attrs["gainMant"] == 8192
        assert layer["neuron/vThMant"].shape == (3, 1, 1)
        assert layer["onespike/synapse/0"].attrs["pre"] == b"input"
        assert file["layer/4/type"][0] == b"flatten"


def test_a_network_with_payload_is_a_file_of_version_3(tmp_path: Path) -> None:
    write(payload(), tmp_path / "payload.net")
    with h5py.File(tmp_path / "payload.net") as file:
        assert file["onespike"].attrs["version"] == 3
        for place in ("layer/0/onespike", "layer/1/neuron"):
            assert file[f"{place}/levelGains"][()].tolist() == [5000, 40000]
            assert file[f"{place}/messages"][()].tolist() == [7, 5, 3, 2, 7, 5, 4, 1]
            assert file[place].attrs["timesteps"] == 2
        assert file["layer/1/neuron"].attrs["tableMant"].shape == (8,)


def test_a_network_with_a_dip_is_a_file_of_version_4(tmp_path: Path) -> None:
    write(dips(), tmp_path / "dips.net")
    with h5py.File(tmp_path / "dips.net") as file:
        assert file["onespike"].attrs["version"] == 4
        assert file["layer/1/neuron"].attrs["farMant"].shape == (4,)
        assert file["layer/1/neuron"].attrs["farShift"].shape == (4,)


def test_a_network_with_a_product_is_a_file_of_version_5(tmp_path: Path) -> None:
    write(products(), tmp_path / "products.net")
    with h5py.File(tmp_path / "products.net") as file:
        assert file["onespike"].attrs["version"] == 5
        neuron = file["layer/2/neuron"]
        assert neuron.attrs["productShift"] == 7 and neuron["productBias"].shape == (2, 4, 4)
        assert neuron["second"].attrs["inputSteps"] == 4 and neuron.attrs["inputSteps"] == 3
        assert file["layer/2/onespike/synapse/1"].attrs["factor"] == 1
        assert "factor" not in file["layer/2/onespike/synapse/0"].attrs
        assert "second" not in file["layer/1/neuron"]


def test_a_network_with_one_sided_neurons_is_a_file_of_version_7(tmp_path: Path) -> None:
    write(sides(), tmp_path / "sides.net")
    with h5py.File(tmp_path / "sides.net") as file:
        assert file["onespike"].attrs["version"] == 7
        assert file["layer/1/neuron/oneSided"][()].tolist() == [[[1]], [[0]], [[1]], [[0]]]
        assert file["layer/3/neuron/oneSided"][()].tolist() == [1, 0, 0, 1, 0, 0]
        assert file["layer/3/neuron/oneSided"].dtype == np.uint8


def test_the_same_network_gives_the_same_bytes_at_any_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(chain(), tmp_path / "one.net")
    import time

    time.sleep(1.1)  # HDF5's time stamps count seconds
    write(chain(), tmp_path / "two.net")
    assert (tmp_path / "one.net").read_bytes() == (tmp_path / "two.net").read_bytes()
