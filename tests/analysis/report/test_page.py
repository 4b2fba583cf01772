"""The page as text: it holds everything, loads nothing, and survives any name."""

from __future__ import annotations

import base64
import gzip
import json
import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

import loihi_onespike as los
from loihi_onespike.analysis.report.page.html_tables import amount, cell, number
from loihi_onespike.analysis.report.page.render import packed, render
from loihi_onespike.analysis.report.page.section_tables import tables_of
from loihi_onespike.analysis.report.page.tiles import tiles_of
from loihi_onespike.errors import ConfigurationError, DataError


class Elements(HTMLParser):
    """All start tags with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def text(document) -> str:
    pytest.importorskip("bokeh", reason="Bokeh is not installed; it is in the extra `report`")
    return render(document, "1.2.3")


def test_nothing_is_loaded_from_elsewhere(text):
    for tag, attributes in Elements(text).found:
        for name in ("src", "href", "srcset", "data", "action"):
            target = attributes.get(name) or "#"
            assert target.startswith(("#", "data:")), (tag, name, target)
    assert "default-src 'none'" in text and len(text.encode()) < 2_500_000


def test_headings_labels_and_alternative_texts(text):
    elements = Elements(text).found
    levels = [int(tag[1]) for tag, _ in elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = [a["id"] for _, a in elements if "id" in a]
    assert len(set(ids)) == len(ids)
    for _, attributes in elements:
        if attributes.get("role") == "img":
            assert attributes.get("aria-label") or attributes.get("aria-labelledby") in ids
        for name in ("aria-labelledby", "aria-describedby"):
            assert attributes.get(name) in (None, *ids)


def test_the_data_of_the_page_is_the_document(text, document):
    found = re.search(r'id="data">([^<]*)<', text)
    assert found is not None
    assert json.loads(gzip.decompress(base64.b64decode(found[1]))) == document
    assert packed(document) == packed(document)


def test_names_cannot_leave_their_place(document):
    pytest.importorskip("bokeh", reason="Bokeh is not installed; it is in the extra `report`")
    evil = {**document, "name": "<img src=x onerror=alert(1)></script>"}
    assert "<img" not in render(evil, "1.2.3")


def test_figures_stand_in_tables_and_tiles(document):
    tables = {(key, t.title): t for key, of in tables_of(document).items() for t in of}
    accuracy = document["accuracy"]["accuracy"]
    row = tables["accuracy", "Shares of the images"].rows[1]
    assert row[0].text == "one-spike network" and row[1].value == accuracy["value"]
    priced = tables["errors", "Populations: error, causes and price"]
    assert len(priced.rows) == len(document["errors"]["layers"])
    shown = {t.label: t.value for t in tiles_of(document)}
    assert shown["accuracy"] == f"{100 * accuracy['value']:.2f} %"
    assert shown["latency"] == f"{document['conversion']['latency_steps']} steps"


def test_numbers_as_text():
    assert [number(x) for x in (3.0, 1234567.8, 0.123456, None)] == ["3", "1,234,568", "0.1235", "–"]
    assert [amount(x, "nJ") for x in (799.0, 23_700.0, 1.09e6)] == ["799 nJ", "23.7 µJ", "1.09 mJ"]
    assert (cell((1, 8, 8)).text, cell(None).text, cell(True).text) == ("1 × 8 × 8", "–", "yes")


def test_what_cannot_be_used_is_refused_before_the_work(small, tmp_path):
    net, x, y = small["net"], small["x"], small["y"]
    with pytest.raises(ConfigurationError, match="shown_images: must be at least 1, got 0"):
        los.report(net, tmp_path / "r.html", x, y, shown_images=0)
    with pytest.raises(ConfigurationError, match=r"must end in \.html"):
        net.report(tmp_path / "r.pdf", x, y)
    pytest.importorskip("bokeh", reason="Bokeh is not installed; it is in the extra `report`")
    with pytest.raises(DataError, match="no such file"):
        net.report(tmp_path / "r.html", x, y, tune=tmp_path / "no.db")


def test_a_missing_extra_is_named(small, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "bokeh.resources", None)
    with pytest.raises(ConfigurationError, match=r"extra `report`.*pip install 'loihi-onespike\[report\]'"):
        small["net"].report(tmp_path / "r.html", small["x"], small["y"])
    assert not (tmp_path / "r.html").exists()
