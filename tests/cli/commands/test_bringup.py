"""`onespike bringup`: rehearsed on the stand-in board, written, and explained."""

import json

import pytest

STAND_IN = ("bringup", "--backend", "stand-in")


def test_all_is_equal(document, onespike):
    found = document(*STAND_IN)
    assert found["equal"] and len(found["networks"]) == 13 and found["explanation"] is None
    assert found["delays"] == {"input": 1, "spikes": 1, "state": 1} and found["observed"] is None
    text = onespike(*STAND_IN, "--network", "relay").stdout
    assert "every spike and potential equal" in text and "delays in steps: input 1" in text and "table" not in text


@pytest.mark.thorough
def test_what_another_reading_shows_is_explained(document, onespike, tmp_path):
    file = tmp_path / "new" / "observed.json"
    networks = ("--network", "relay", "--network", "signed")
    found = document(*STAND_IN, *networks, "--reading", "NEG complements", "-o", file, exit_code=1)
    assert not found["equal"] and found["observed"] == str(file)
    assert found["explanation"]["remaining"] == ["NEG complements"]
    assert [n["equal"] for n in found["networks"]] == [True, False]
    assert "signed: spikes at neuron [1]" in found["networks"][1]["first"]
    again = document("bringup", "--explain", file)
    assert again["remaining"] == ["NEG complements"] and again["networks"] == ["relay", "signed"]
    text = " ".join(onespike("bringup", "--explain", file).stdout.split())
    assert "would come out under: NEG complements." in text and "an ADD of 1 behind it" in text


@pytest.mark.thorough
def test_several_readings_remain_and_a_network_separates_them(document, tmp_path):
    file = tmp_path / "observed.json"
    document(*STAND_IN, "--network", "relay", "-o", file)
    found = document("bringup", "--explain", file)
    assert "as stated" in found["remaining"] and "RMW one row" in found["remaining"]
    assert "two state rows" in [s["network"] for s in found["separated_by"]]


def test_the_hand_over_of_the_ladder(document, tmp_path):
    found = document("bringup", "--handover", tmp_path / "h")
    assert found["networks"][0] == "relay" and (tmp_path / "h" / "13-axon_delay" / "README.md").is_file()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--backend", "abacus"), "backend: must be one of lava, stand-in"),
        ((*STAND_IN[1:], "--network", "ladder"), "network: must be one of relay"),
        ((*STAND_IN[1:], "--reading", "JUMP"), "reading: must be one of as stated"),
        (("--reading", "as stated"), "--reading: valid with --backend stand-in only"),
        (("--explain", "a.json", "--network", "relay"), "--explain: not valid together"),
        (("--explain", "a.json", "--handover", "h"), "--explain: not valid together"),
        (("--handover", "h", "--network", "relay"), "--handover: not valid together"),
        (("--explain", "a.json"), "no such file"),
        ((*STAND_IN[1:], "--host", "192.0.2.1", "--partition", "kp"), "--host: not valid together"),
        ((*STAND_IN[1:], "--stepping", "N9"), "stepping: must be one of"),
        ((*STAND_IN[1:], "--node", "a", "--node", "b"), "--node: must be given at most once"),
    ],
)
def test_refusals(document, arguments, words):
    error = document("bringup", *arguments, exit_code=2)["error"]
    assert words in error["message"]


@pytest.mark.lava
def test_without_lava_loihi(onespike):
    result = onespike("bringup", "--network", "relay")
    assert result.exit_code == 2 and result.stdout == ""
    assert result.stderr.count("\n") == 1 and "lava-loihi" in result.stderr


def test_a_file_that_is_no_observation(document, tmp_path):
    (tmp_path / "o.json").write_text(json.dumps({"format": "another"}))
    error = document("bringup", "--explain", tmp_path / "o.json", exit_code=2)["error"]
    assert error["type"] == "DataError" and "format must be" in error["message"]
