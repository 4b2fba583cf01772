"""The plan of the house: docs/architecture.md, the contract of the layers and the tree agree."""

from __future__ import annotations

import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]
PRODUCT = ("loihi_onespike", "netx_export", "hw_configs")
FOLDERS = (*PRODUCT, "tests", "benchmarks", "examples", "docs", "scripts")


def contract() -> list[set[str]]:
    """The layers of the contract `layers`, from the top; packages that share a line are independent."""
    text = (ROOT / "pyproject.toml").read_text()
    found = re.search(r'^name = "layers"\n.*?^layers = \[\n(.*?)^\]', text, re.MULTILINE | re.DOTALL)
    assert found is not None
    return [{p.strip() for p in line.split("|")} for line in re.findall(r'"([^"]+)"', found[1])]


def test_the_documented_layers_are_the_contract() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    table = text.split("## Packages")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert [set(re.findall(r"`([\w.]+)`", row)) for row in rows] == contract()


def test_every_package_is_in_the_contract() -> None:
    entries = [p for p in (ROOT / "loihi_onespike").iterdir() if p.suffix == ".py" or (p / "__init__.py").is_file()]
    there = {f"loihi_onespike.{p.stem}" for p in entries if p.name != "__init__.py"} | {"netx_export", "hw_configs"}
    assert there == set().union(*contract())


def test_documents_name_files_that_exist() -> None:
    missing = []
    for document in (ROOT / "README.md", *(ROOT / "docs").glob("**/*.md")):
        for path in re.findall(r"`((?:[\w.-]+/)+[\w.-]*)`", document.read_text()):
            base = ROOT if path.split("/")[0] in FOLDERS else ROOT / "loihi_onespike"
            known = path.split("/")[0] in FOLDERS or (ROOT / "loihi_onespike" / path.split("/")[0]).is_dir()
            if known and not (base / path).exists():
                missing.append(f"{document.name}: {path}")
    assert not missing, "\n".join(missing)


def test_architecture_names_modules_that_exist() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    names = {p.name for package in PRODUCT for p in (ROOT / package).rglob("*.py")}
    assert set(re.findall(r"`(\w+\.py)`", text)) <= names


def test_no_circle_of_imports() -> None:
    """No module takes part in a circle of imports, those under TYPE_CHECKING or in functions included."""
    graph = grimp.build_graph(*PRODUCT, exclude_type_checking_imports=False)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))
