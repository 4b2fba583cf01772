"""NetX files of other neurons are named by their neurons."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from netx_export.foreign import foreign_neurons
from netx_export.hdf5_access import Hdf5Access


def _kinds(path: Path) -> list[str]:
    with h5py.File(path) as file:
        return foreign_neurons(Hdf5Access(file, path.stat().st_size))


def test_kinds_of_neurons(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "cuba.net", "w") as file:
        file["layer/0/type"] = "input"
        file["layer/1/neuron/type"] = "CUBA"
        file["layer/2/neuron/type"] = np.array([b"LIF"], "S10")
        file["layer/3/neuron/type"] = 7
        file["layer/4/neuron/type"] = np.array([b"A", b"B"])
    assert _kinds(tmp_path / "cuba.net") == ["CUBA", "LIF"]


def test_layers_without_neurons_and_files_without_layers(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "none.net", "w") as file:
        file["layer/0/type"] = "input"
    with h5py.File(tmp_path / "other.net", "w") as file:
        file["data"] = 1
    assert _kinds(tmp_path / "none.net") == ["no neurons"] and _kinds(tmp_path / "other.net") == []


def test_links_are_not_followed(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.net", "w") as file:
        file["kind"] = "CUBA"
    with h5py.File(tmp_path / "linked.net", "w") as file:
        file["layer/0/neuron/type"] = h5py.ExternalLink("other.net", "kind")
    assert _kinds(tmp_path / "linked.net") == ["no neurons"]
