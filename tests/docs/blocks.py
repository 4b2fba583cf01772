"""The code blocks of README and docs, and how one is run."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LANGUAGES = ("python", "sh", "toml", "json", "text")
"""Blocks of `text` are not run: output, diagrams, and what needs a board, a cluster or a network."""
MAY_FAIL = ("tune",)
"""Commands whose exit status 1 is an answer: no setting keeps the limits."""
SLOW_COMMANDS = ("bringup", "build", "demo", "deploy", "diagnose", "report", "run", "tune")
"""Left out of the fast tests, as are simulations with SANA-FE."""
_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```\s*$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes:
        page: path of the page from the root of the repository.
        line: line of its first fence.
        language: the word behind the fence.
        text: what it says.
    """

    page: str
    line: int
    language: str
    text: str

    def runs(self) -> bool:
        """Whether anything of it is run at all."""
        return self.language != "text"

    def is_slow(self) -> bool:
        """Whether something of it is left out of the fast tests."""
        return self.imports_lava() or (self.language == "sh" and any(map(is_slow, commands(self.text))))

    def imports_lava(self) -> bool:
        """Whether it imports Lava, which needs a process of its own."""
        return self.language == "python" and "import" in self.text and "lava." in self.text

    def run(self, names: dict[str, Any], slow: bool = True) -> None:
        """Run it: Python with and into the given names, commands in this process, slow ones only where asked."""
        try:
            if self.imports_lava():
                if slow:
                    subprocess.run([sys.executable, "-c", self.text], check=True, timeout=120)
            elif self.language == "python":
                exec(compile("\n" * self.line + self.text, str(ROOT / self.page), "exec"), names)
            elif self.language == "sh":
                for command in commands(self.text):
                    if slow or not is_slow(command):
                        run_command(command)
            elif self.language == "toml":
                tomllib.loads(self.text)
            elif self.language == "json":
                json.loads(self.text)
        except Exception as error:
            raise AssertionError(f"{self.page}:{self.line}: {type(error).__name__}: {error}") from error


def blocks_of(page: Path) -> list[Block]:
    """All fenced blocks of a page in their order."""
    text = page.read_text(encoding="utf-8")
    name = str(page.relative_to(ROOT))
    return [Block(name, text.count("\n", 0, m.start()) + 1, m[1].strip(), m[2]) for m in _FENCE.finditer(text)]


def commands(text: str) -> list[list[str]]:
    """Words of every command of a block, comments left out."""
    joined = re.sub(r"\\\n\s*", " ", text)
    return [words for line in joined.splitlines() if (words := shlex.split(line, comments=True))]


def is_slow(words: list[str]) -> bool:
    """Whether a command takes more than a second or two on a small network."""
    return words[0] == "onespike" and (words[1] in SLOW_COMMANDS or "--simulator" in words)


def run_command(words: list[str]) -> None:
    """Run `onespike`; of `pip install` and `make` check that what they name is there."""
    if words[:2] == ["onespike", "report"] and find_spec("bokeh") is None:
        return
    if words[0] == "onespike":
        from loihi_onespike.cli.app import app

        result = CliRunner().invoke(app, words[1:])
        allowed = (0, 1) if words[1] in MAY_FAIL else (0,)
        if result.exit_code not in allowed or not isinstance(result.exception, SystemExit | None):
            raise AssertionError(f"{shlex.join(words)}: {result.output}") from result.exception
    elif words[:2] == ["pip", "install"]:
        extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
        named = [extra for word in words[2:] for group in re.findall(r"\[(.+)\]", word) for extra in group.split(",")]
        assert set(named) <= set(extras), f"{shlex.join(words)}: no such extra"
    elif words[0] == "make":
        targets = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert words[1] in targets, f"{shlex.join(words)}: no such target"
    else:
        raise AssertionError(f"{shlex.join(words)}: not run by the tests; mark the block as text")
