"""docs/microcode.md shows what the code makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from loihi_onespike.errors import MicrocodeError
from loihi_onespike.executors.microcode import document

TEXT = (Path(__file__).parents[3] / "docs" / "microcode.md").read_text(encoding="utf-8")


@pytest.mark.thorough
def test_generated_parts_are_current() -> None:
    assert document.updated(TEXT) == TEXT, "python -m loihi_onespike.executors.microcode.document docs/microcode.md"


@pytest.mark.parametrize(
    "name", [pytest.param(p, marks=pytest.mark.thorough if p == "counts" else []) for p in document.PARTS]
)
def test_every_part_stands_in_the_document(name: str) -> None:
    assert TEXT.count(f"<!-- begin {name} -->\n") == TEXT.count(f"\n<!-- end {name} -->") == 1
    begin, end = TEXT.index(f"<!-- begin {name} -->\n"), TEXT.index(f"<!-- end {name} -->")
    emptied = TEXT[:begin] + f"<!-- begin {name} -->\n" + TEXT[end:]
    part = {name: document.PARTS[name]}
    assert emptied != TEXT and document.updated(emptied, part) == TEXT
    with pytest.raises(MicrocodeError, match=f"must have a place for {name} between"):
        document.updated(TEXT.replace(f"<!-- end {name} -->", ""), part)


@pytest.mark.thorough
def test_main_writes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "microcode.md"
    path.write_text(TEXT.replace("RDC     a  ", "DRC     a  "), encoding="utf-8")
    document.main(str(path))
    assert path.read_text(encoding="utf-8") == TEXT
