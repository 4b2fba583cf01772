import json

import pytest


@pytest.fixture
def bokeh():
    pytest.importorskip("bokeh", reason="Bokeh is not installed; it is in the extra `report`")


def test_a_page_of_a_file(document, net_file, tmp_path, bokeh):
    page = tmp_path / "new" / "digits.html"
    few = ("--images", 20, "--profile-images", 8, "--show-images", 2)
    found = document("report", net_file, "--data", "digits", "-o", page, *few)
    assert found["images"] == 20 and found["bytes"] == page.stat().st_size
    text = page.read_text(encoding="utf-8")
    assert "Name the converted model with --model" in text and "onespike tune" in text


def test_what_cannot_be_used(onespike, net_file, tmp_path, bokeh):
    arguments = ("report", net_file, "--data", "digits", "--images", "4")
    result = onespike(*arguments, "-o", tmp_path / "page.pdf")
    assert result.exit_code == 2 and "must end in .html" in result.stderr
    result = onespike(*arguments, "-o", tmp_path / "page.html", "--board", "oheo", "--json")
    assert result.exit_code == 2 and json.loads(result.stdout)["error"]["type"] == "BoardError"
    result = onespike(*arguments, "-o", tmp_path / "page.html", "--tune", tmp_path / "no.db")
    assert result.exit_code == 2 and "no such file" in result.stderr
    assert not (tmp_path / "page.html").exists()
