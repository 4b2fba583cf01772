import json

import numpy as np
import pytest

import netx_export
from loihi_onespike.boards.specification import boards


def test_text(onespike, net_file):
    result = onespike("map", net_file, "--board", "oheo_gulch")
    assert result.exit_code == 0, result.stderr
    for words in ("Oheo Gulch", "5 of 120", "relu2", "classifier", "Fullest core", "smallest board", "12.51 %"):
        assert words in result.stdout
    assert "Objections" not in result.stdout and "0:12" not in result.stdout
    assert "0:12, 0:8, 0:8" in onespike("map", net_file, "--board", "oheo_gulch", "--cores").stdout


def test_document(document, net_file):
    found = document("map", net_file, "--board", "kapoho_point")
    assert found["fits"] and found["cores"] == 5 == len(found["per_core"]) and found["smallest_board"] == "oheo_gulch"
    assert found["objections"] == [] and found["board"]["cores"] == 960
    # 384 axons with ten 8-bit targets each: 10 · 20 + 10 bits, 4 words. The layer reads space as one axis, so it goes
    # to the board as a sparse matrix, whose lists leave out weights of 0
    (weight,) = (s.op.weight for s in netx_export.read(net_file).synapses if s.post == "classifier")
    targets = np.count_nonzero(weight, axis=0)
    words = int(sum(-(-(20 * n + 10) // 64) for n in targets))
    assert targets.min() > 0 and words < 384 * 4
    (last,) = (layer for layer in found["layers"] if layer["layer"] == "classifier")
    assert (last["fullest"]["axon_in_words"], last["fullest"]["synapse_words"]) == (384, words)
    state = found["utilisation"]["state_words"]
    assert state["limit"] == 4095 and state["status"] == "I" and state["source"]


def test_without_a_board_the_smallest_that_fits(onespike, net_file, monkeypatch):
    found = onespike("map", net_file)
    assert found.exit_code == 0 and "Oheo Gulch" in found.stdout
    assert "mapped onto oheo_gulch, the smallest board that fits" in found.stderr
    listed = " ".join(onespike("map", "--help").stdout.replace("│", " ").split())
    assert all(name in listed for name in boards())


def test_unknown_limits_are_called_so(onespike, net_file):
    text = onespike("map", net_file, "--board", "kapoho_bay").stdout
    assert "unknown" in text and "not public" in text
    assert "p. 89" in text and "edges out" in text and "axon mem" not in text


def test_the_other_accounting_of_convolutions(onespike, net_file):
    command = ("map", net_file, "--board", "nahuku_8")
    lists, kernels = onespike(*command).stdout, onespike(*command, "--convolution", "kernels").stdout
    assert "convolutions as           lists" in lists and "convolutions as           kernels" in kernels
    refused = onespike(*command, "--convolution", "tables")
    assert refused.exit_code == 2 and "must be one of kernels, lists on Loihi 1" in refused.stderr


def test_idle_cores_of_the_chip(document, net_file):
    plain = document("map", net_file, "--board", "oheo_gulch")
    filled = document("map", net_file, "--board", "oheo_gulch", "--fill-chips")
    assert filled["fits"] and filled["objections"] == [] and filled["chips"] == plain["chips"] == 1
    assert plain["cores"] < filled["cores"] <= 120
    assert f"{filled['cores'] - plain['cores']} cores more" in filled["notes"][-1]


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_picture(onespike, net_file, tmp_path, suffix):
    path = tmp_path / "new" / f"board.{suffix}"
    assert onespike("map", net_file, "--board", "oheo_gulch", "--plot", path).exit_code == 0
    assert path.stat().st_size > 2000


def test_a_network_that_does_not_fit(onespike, net_file, tmp_path):
    board = tmp_path / "tiny.toml"
    board.write_text(
        'name = "Tiny"\nchip = "loihi_2"\n'
        'chips = { value = 1, status = "U", source = "test" }\n'
        'usable_cores_per_chip = { value = 4, status = "U", source = "test" }\n'
        + "".join(f'{key} = {{ status = "NF" }}\n' for key in ("power_max_w", "steppings", "chip_columns", "chip_rows"))
    )
    result = onespike("map", net_file, "--board", board)
    assert result.exit_code == 1
    assert "requires 5 cores, limit 4; take oheo_gulch" in result.stdout


def test_what_cannot_be_used(onespike, net_file, tmp_path):
    result = onespike("map", net_file, "--board", "oheo")
    assert result.exit_code == 2 and "did you mean oheo_gulch" in result.stderr
    assert onespike("map", tmp_path / "no.h5", "--board", "oheo_gulch").exit_code == 2
    failed = onespike("map", net_file, "--board", "oheo", "--json")
    assert json.loads(failed.stdout)["error"]["type"] == "BoardError"
