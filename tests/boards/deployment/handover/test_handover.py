"""The hand-over folder is complete: a board that knows it alone shows its golden trace."""

import json
from dataclasses import replace

import numpy as np
import pytest

import netx_export
from loihi_onespike.boards.deployment.bringup.ladder import LADDER
from loihi_onespike.boards.deployment.bringup.observed import read_observed
from loihi_onespike.boards.deployment.bringup.symptoms import explain
from loihi_onespike.boards.deployment.handover import synapse_files
from loihi_onespike.boards.deployment.handover.handover import write_handover, write_ladder_handover
from loihi_onespike.boards.mapping import map_network
from loihi_onespike.boards.specification import load_board
from loihi_onespike.errors import ConfigurationError, DataError
from loihi_onespike.executors import reference
from tests.boards.deployment.handover.folder_board import FolderBoard, table
from tests.support.lava_networks import chain, codes, everything
from tests.support.networks import products

IMAGES = 2


def handed_over(network, folder, images=IMAGES):
    x = codes(network, images, seed=3)
    write_handover(network, x, map_network(network, load_board("oheo_gulch")).placement, folder)
    return x


def assert_golden(folder):
    """Every spike and potential of the golden trace comes out, and no other spike in the windows of the images."""
    board = FolderBoard(folder)
    spikes, v = board.run()
    period, images = board.index["period_steps"], board.index["images"]
    for i, p in enumerate(board.index["populations"], 1):
        (file,) = (folder / "golden").glob(f"{i:02d}-*.v.npy")
        golden = np.load(file)
        first = p["start_step"] + period
        seen = np.array([v[p["name"], first + t] for t in range(1, images * period + 1)])
        assert np.array_equal(golden, seen.reshape(golden.shape)), p["name"]
        if not p["sends_spikes"]:
            continue
        (file,) = (folder / "golden").glob(f"{i:02d}-*.spikes.csv")
        rows = {(int(r["board_step"]), int(r["neuron"])): int(r["payload"]) for r in table(file)}
        window = range(first + 1, first + images * period + 1)
        sent = {(step, n): x for (name, step, n), x in spikes.items() if name == p["name"] and step in window}
        assert rows == sent and rows, p["name"]
        assert all(int(r["board_step"]) == first + int(r["image"]) * period + int(r["step"]) for r in table(file))


@pytest.mark.parametrize("network", [chain(4, 4), everything(3)], ids=["chain", "everything"])
def test_the_folder_alone_gives_the_golden_trace(network, tmp_path):
    x = handed_over(network, tmp_path / "h")
    assert_golden(tmp_path / "h")
    trace = reference.run(network, x)  # and the golden trace is the oracle's
    (file,) = (tmp_path / "h" / "golden").glob("*-out.v.npy")
    v = trace.layers["out"].v
    assert v is not None and np.array_equal(np.load(file)[:, -1], v.reshape(IMAGES, -1))


def test_products_are_handed_over_with_both_sums(tmp_path):
    handed_over(products(), tmp_path / "h")
    assert_golden(tmp_path / "h")
    page = (tmp_path / "h" / "README.md").read_text()
    assert "| scaled.gate | gate | scaled | 1 |" in page and "RDC" in page


@pytest.mark.thorough
def test_the_ladder_is_handed_over_too(tmp_path):
    write_ladder_handover(tmp_path)
    folders = sorted(p for p in tmp_path.iterdir() if p.is_dir())
    assert len(folders) == len(LADDER)
    for folder, rung in zip(folders, LADDER, strict=True):
        assert_golden(folder)
        assert list(read_observed(folder / "expected.json")) == [rung.name]
    assert explain(read_observed(folders[2] / "expected.json")).remaining[0] == "as stated"
    write_ladder_handover(tmp_path)  # the same again


def test_what_the_folder_says(tmp_path):
    network = everything(3)
    handed_over(network, tmp_path / "h")
    page = (tmp_path / "h" / "README.md").read_text(encoding="utf-8")
    for p in network.populations[1:]:
        assert f"| {p.name} | {np.prod(p.shape)} |" in page
    assert "| both again | wide | both |" in page and "allocate_ucode" in page and "bringup" in page
    assert "{" not in page.replace("allocate_ucode(shape", "")  # no place of the template is left open
    assert network.name in page and str(network.period_steps) in page
    again = netx_export.read(tmp_path / "h" / "network.h5")
    assert [p.name for p in again.populations] == [p.name for p in network.populations]
    index = json.loads((tmp_path / "h" / "network.json").read_text())
    (relay,) = (s for s in index["synapses"] if s["name"] == "relay")
    assert relay["axon_delay"] == 4
    signed = {p["name"]: p["message_bits"] for p in index["populations"]}
    assert signed["signed"] == 8 and signed["wide"] == 0 and signed["out"] is None


def test_axons_go_to_the_cores_of_the_mapping(tmp_path):
    network = chain(4, 4)
    handed_over(network, tmp_path / "h")
    index = json.loads((tmp_path / "h" / "network.json").read_text())
    for s in index["synapses"]:
        (post,) = (p for p in index["populations"] if p["name"] == s["post"])
        cores = {(c["chip"], c["core"]) for c in post["cores"]}
        axons, synapses = table(tmp_path / "h" / s["axons"]), table(tmp_path / "h" / s["table"])
        assert {(int(a["chip"]), int(a["core"])) for a in axons} == cores
        assert sum(int(a["targets"]) for a in axons) == len(synapses) == s["synapses"] and s["synapses"]


def test_a_group_too_large_for_a_table_stands_in_the_network_file(tmp_path, monkeypatch):
    monkeypatch.setattr(synapse_files, "LARGEST_TABLE", 500)
    network = chain(4, 4)
    handed_over(network, tmp_path / "h")
    index = json.loads((tmp_path / "h" / "network.json").read_text())
    without = {s["name"] for s in index["synapses"] if s["table"] is None}
    assert without == {"conv1", "conv2"}  # 256 · 9 and 96 · 36 synapses; the others have at most 256 · 4 / 4
    assert "| conv2 | max1 | conv2 | 0 | in network.h5 |" in (tmp_path / "h" / "README.md").read_text(encoding="utf-8")


def test_folders_of_others_are_refused(tmp_path):
    handed_over(chain(4, 4), tmp_path / "h")
    handed_over(chain(4, 4), tmp_path / "h", images=1)  # the same network again, with another golden trace
    assert_golden(tmp_path / "h")
    with pytest.raises(ConfigurationError, match=r"folder of another run.*--handover"):
        handed_over(everything(3), tmp_path / "h")
    network = chain(4, 4)
    last = network.readout
    other = replace(last, membrane=replace(last.membrane, bias=np.array(5)))
    with pytest.raises(ConfigurationError, match="content"):
        handed_over(replace(network, populations=(*network.populations[:-1], other)), tmp_path / "h")
    first = network.hidden[0]
    higher = replace(first, threshold=first.threshold + 1)
    with pytest.raises(ConfigurationError, match="content"):
        handed_over(replace(network, populations=(network.input, higher, *network.populations[2:])), tmp_path / "h")
    gathered = tuple(s if s.index is None else replace(s, index=s.index[::-1].copy()) for s in network.synapses)
    with pytest.raises(ConfigurationError, match="content"):  # the same weights, read in another order
        handed_over(replace(network, synapses=gathered), tmp_path / "h")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").touch()
    with pytest.raises(DataError, match=r"must be empty.*contains thesis.txt.*--handover"):
        handed_over(network, tmp_path / "mine")
