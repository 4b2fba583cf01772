import json
import sys

import pytest


def test_text(onespike, net_file):
    result = onespike("profile", net_file, "--data", "digits", "--images", "10")
    assert result.exit_code == 0, result.stderr
    text = " ".join(result.stdout.split())
    for words in (
        "not measured",
        "images per second at most",
        "energies of Loihi 2",
        "not a Loihi 2 figure",
        "unknown",
        "NF: never published",
        "When the SNN loses",
        "relu3",
    ):
        assert words in text


def test_document(document, net_file):
    found = document("profile", net_file, "--data", "digits", "--images", "10", "--board", "oheo_gulch")
    assert found["images"] == 10 and found["fits"] and not found["measured_on_a_board"]
    own, borrowed = found["energy_per_image"]
    assert own["dynamic"]["value"] is None and own["total_least"]["value"] is None
    assert borrowed["estimated_with_another_chip"] and borrowed["total_least"]["value"] > 0
    assert found["time"]["images per second"]["status"] == "I" and found["time"]["images per second"]["source"]
    assert found["paper"]["alpha_fp32"] > 1 and len(found["when_the_snn_loses"]) == 3
    assert len(found["layers"]) == 5 and all(y["instructions"] > 0 for y in found["layers"])
    evaluated = document("evaluate", net_file, "--data", "digits", "--images", "10")
    assert found["counts"]["synaptic operations"]["value"] == pytest.approx(evaluated["synaptic_operations"])
    assert found["paper"]["alpha_int8"] == pytest.approx(evaluated["alpha_int8"])


def test_idle_cores_make_it_faster(document, net_file):
    arguments = ("profile", net_file, "--data", "digits", "--images", "10", "--board", "oheo_gulch")
    plain, filled = document(*arguments), document(*arguments, "--fill-chips")
    assert filled["cores"] > plain["cores"] and filled["chips"] == plain["chips"]
    rates = [found["time"]["images per second"]["value"] for found in (plain, filled)]
    static = [found["energy_per_image"][-1]["static_least"]["value"] for found in (plain, filled)]
    assert rates[1] > rates[0] and static[1] < static[0]


def test_picture(onespike, net_file, tmp_path):
    path = tmp_path / "new" / "profile.svg"
    arguments = ("profile", net_file, "--data", "digits", "--images", "4", "--plot")
    assert onespike(*arguments, path).exit_code == 0
    text = path.read_text()
    assert "classifier" in text or text.count("<path") > 20


def test_what_cannot_be_used(onespike, net_file, tmp_path):
    result = onespike("profile", net_file, "--data", "digits", "--board", "oheo", "--json")
    assert result.exit_code == 2 and json.loads(result.stdout)["error"]["type"] == "BoardError"
    assert onespike("profile", tmp_path / "no.h5", "--data", "digits").exit_code == 2


def test_a_simulator_that_does_not_exist_or_is_missing(onespike, net_file, monkeypatch):
    arguments = ("profile", net_file, "--data", "digits", "--images", "2", "--board", "nahuku_32", "--simulator")
    result = onespike(*arguments, "nest")
    assert result.exit_code == 2 and "simulator: must be sanafe or sanafe-computed, got nest" in result.stderr
    monkeypatch.setitem(sys.modules, "sanafe", None)
    result = onespike(*arguments, "sanafe")
    assert result.exit_code == 2 and "pip install 'loihi-onespike[sanafe]'" in result.stderr


@pytest.mark.thorough
def test_simulator(onespike, document, net_file):
    pytest.importorskip("sanafe", reason="SANA-FE is not installed")
    arguments = (
        "profile",
        net_file,
        "--data",
        "digits",
        "--images",
        "2",
        "--board",
        "nahuku_32",
        "--simulator",
        "sanafe",
    )
    text = " ".join(onespike(*arguments).stdout.split())
    for words in ("Energy of every core per image, by SANA-FE", "counts are equal", "111 pJ for every message"):
        assert words in text
    found = document(*arguments)["simulator"]
    assert found["counts_equal"] and len(found["energy_of_cores"]) == 6
