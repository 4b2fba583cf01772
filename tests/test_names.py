"""Names are unique over the product, so that a name in a message, a docstring or a search result means one thing."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
MODULES = [p for root in ("loihi_onespike", "netx_export", "hw_configs") for p in sorted((ROOT / root).rglob("*.py"))]
ONCE = ("report.py", "run.py", "counts.py")
"""File names that say what a module does and not what it is about."""


def repeated(found: dict[str, list[str]]) -> dict[str, list[str]]:
    return {name: places for name, places in found.items() if len(places) > 1}


def test_public_class_names_are_unique() -> None:
    classes: dict[str, list[str]] = defaultdict(list)
    for path in MODULES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                classes[node.name].append(str(path.relative_to(ROOT)))
    assert len(classes) > 100
    assert not repeated(classes)


def test_vague_module_names_are_not_repeated() -> None:
    files: dict[str, list[str]] = defaultdict(list)
    for path in MODULES:
        if path.name in ONCE:
            files[path.name].append(str(path.relative_to(ROOT)))
    assert not repeated(files)
