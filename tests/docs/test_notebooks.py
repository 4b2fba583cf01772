"""The notebooks run from the first cell to the last, on the small data that they bring."""

from __future__ import annotations

from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

FOLDER = Path(__file__).parents[2] / "examples" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
SHORT = "digits.ipynb"
KIB = 1024


@pytest.mark.thorough
@pytest.mark.parametrize(
    "path", [pytest.param(p, id=p.stem, marks=[] if p.name == SHORT else pytest.mark.slow) for p in NOTEBOOKS]
)
def test_a_notebook_runs(path, tmp_path, monkeypatch):
    for name in ("CIFAR10_ROOT", "TEXT_GCN_FOLDER"):
        monkeypatch.delenv(name, raising=False)
    notebook = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=250, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    pictures = [o for cell in notebook.cells for o in cell.get("outputs", []) if "image/png" in o.get("data", {})]
    assert len(pictures) >= 2


def test_stored_notebooks_are_small_and_tell_nothing_of_the_machine():
    assert {path.stem for path in NOTEBOOKS} == {"digits", "cifar", "text_gcn", "operating_point"}
    for path in NOTEBOOKS:
        text = path.read_text(encoding="utf-8")
        assert len(text) < 300 * KIB, path.name
        for word in ("/home/", "/tmp/", "Traceback", "stderr"):
            assert word not in text, f"{path.name}: {word}"
        for cell in nbformat.reads(text, as_version=4).cells:
            assert "execution" not in cell.metadata


def test_the_documentation_lists_every_notebook():
    page = (FOLDER.parents[1] / "docs" / "howto" / "notebooks.md").read_text(encoding="utf-8")
    assert all(f"`{path.name}`" in page for path in NOTEBOOKS)
