"""The modules that are mutated, and the tests that have to notice it: the tables of targets.toml."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

if sys.version_info < (3, 11):
    import tomli as tomllib
else:
    import tomllib

from tests.mutation.mutants import Mutant, Mutation

CONFIG = Path(__file__).with_name("targets.toml")


@dataclass(frozen=True)
class Target:
    """Modules, and their tests.

    Attributes:
        name: of the target.
        code: pattern of the paths of the modules.
        own: folder in which the test of module `x.py` is `test_x.py`; these tests run first.
        further: files of tests, or tests in them, that run behind it, for every module.
        without: names of tests that are left out, because they take too long and look at something else.
        sample: number of mutants that are drawn.
    """

    name: str
    code: str
    own: str
    further: tuple[str, ...]
    without: tuple[str, ...]
    sample: int

    def modules(self, tree: Path) -> list[str]:
        """Paths of the modules in the repository."""
        return sorted(str(p.relative_to(tree)) for p in tree.glob(self.code) if p.name != "__init__.py")

    def tests(self, tree: Path, module: str) -> list[str]:
        """Files of tests for a module, its own first."""
        own = f"{self.own}/test_{Path(module).name}"
        first = [own] if (tree / own).exists() else []
        return first + [path for path in self.further if path != own]


def by_hand(tree: Path, target: Target) -> list[Mutant]:
    """Mutants of a target that were chosen by hand.

    Args:
        tree: folder of the repository.
        target: the target.

    Raises:
        ValueError: what one of them changes is not in the code any more.
    """
    found = []
    for number, entry in enumerate(tomllib.loads(CONFIG.with_name("by_hand.toml").read_text())["mutant"]):
        path, old = entry["path"], entry["old"]
        if entry["target"] != target.name:
            continue
        source = (tree / path).read_text()
        if source.count(old) != 1:
            raise ValueError(f"by_hand.toml: {old!r} must stand once in {path}, got {source.count(old)} times")
        line = source[: source.index(old)].count("\n") + 1
        mutation = Mutation(path, "by hand", number, (path, line, 0))
        found.append(Mutant(mutation, source.replace(old, entry["new"]), f"-{old}\n+{entry['new']}"))
    return found


def targets() -> list[Target]:
    """All targets."""
    tables = tomllib.loads(CONFIG.read_text())["target"]
    return [
        Target(t["name"], t["code"], t["own"], tuple(t["further"]), tuple(t.get("without", ())), t["sample"])
        for t in tables
    ]
