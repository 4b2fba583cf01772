"""What contributors are told agrees with what the tools do."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_pre_commit_runs_the_commands_of_make_lint():
    makefile = (ROOT / "Makefile").read_text()
    recipe = re.search(r"^lint:.*\n((?:\t.+\n)+)", makefile, re.MULTILINE)
    assert recipe is not None
    commands = [line.strip().replace("$(VENV)", ".venv/bin") for line in recipe[1].splitlines()]
    hooks = re.findall(r"^ +entry: (.+)$", (ROOT / ".pre-commit-config.yaml").read_text(), re.MULTILINE)
    assert commands == hooks


def test_contributing_names_the_targets_of_the_makefile():
    targets = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    told = set(re.findall(r"`make ([a-z-]+)", (ROOT / "CONTRIBUTING.md").read_text()))
    assert told <= set(targets)
    assert {"venv", "test", "test-all", "lint", "format"} <= told


def test_the_citation_has_the_version_of_the_package():
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    assert f"\nversion: {version[1]}\n" in (ROOT / "CITATION.cff").read_text()


@pytest.mark.parametrize(
    ("package", "tests"),
    [
        ("loihi_onespike/core", "tests/core"),
        ("loihi_onespike/conversion", "tests/conversion"),
        ("netx_export", "tests/netx_export"),
    ],
)
def test_every_module_of_the_inner_packages_has_a_test_file(package: str, tests: str) -> None:
    modules = [p.relative_to(ROOT / package) for p in (ROOT / package).rglob("*.py") if p.name != "__init__.py"]
    assert modules
    wanted = [ROOT / tests / module.with_name(f"test_{module.name}") for module in modules]
    missing = [str(path.relative_to(ROOT)) for path in wanted if not path.is_file()]
    assert not missing, "\n".join(missing)


def test_no_file_holds_the_marks_of_a_merge() -> None:
    marks = tuple(sign * 7 + " " for sign in "<>|")
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split(
        "\n"
    )
    texts = [
        ROOT / name for name in names if Path(name).suffix in {".md", ".py", ".toml", ".yml", ".js", ".html", ".ipynb"}
    ]
    marked = [str(p.relative_to(ROOT)) for p in texts if p.is_file() and _begins_with(p, marks)]
    assert not marked, "\n".join(marked)


def _begins_with(path: Path, marks: tuple[str, ...]) -> bool:
    return any(line.startswith(marks) for line in path.read_text(encoding="utf-8").splitlines())
