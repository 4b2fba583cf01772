import json

import pytest


@pytest.fixture(scope="module")
def arguments(net_file):
    return ("diagnose", net_file, "--data", "digits", "--model", "digits", "--images", "4")


def test_text(onespike, arguments):
    result = onespike(*arguments, "--top", "2", "--board", "hala_point")
    assert result.exit_code == 0, result.stderr
    text = " ".join(result.stdout.split())
    for words in (
        "on 4 images",
        "same class",
        "alone",
        "interaction",
        "noise spikes",
        "rounding",
        "relu3",
        "share of the error",
        "nJ",
    ):
        assert words in text
    assert text.count(" - ") >= 1 and result.stdout.count("\n- ") == 2


@pytest.mark.thorough
def test_document_and_picture(document, arguments, tmp_path):
    path = tmp_path / "new" / "diagnosis.svg"
    found = document(*arguments, "--plot", path)
    assert found["images"] == 4 and not found["interrupted"] and found["measure"] == "relative"
    assert [y["name"] for y in found["layers"]][:2] == ["input", "relu1"] and "noise" in found["causes"]
    assert found["error_without_any_cause"]["relative"] < 1e-5 and found["sentence"]
    assert path.read_text().count("<path") > 10


def test_what_cannot_be_used(onespike, net_file, arguments):
    result = onespike("diagnose", net_file, "--data", "digits", "--json")
    assert result.exit_code == 2 and "--model" in json.loads(result.stdout)["error"]["message"]
    assert onespike(*arguments, "--timesteps", "8").exit_code == 2
    assert onespike(*arguments, "--measure", "l1").exit_code == 2
