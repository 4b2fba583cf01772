"""The folder of a whole run: a record of finished steps, so that a step with the same inputs is not run again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from loihi_onespike.errors import DataError
from loihi_onespike.jobs.run_folder import read_object, write_object

RECORD, FORMAT = "run.json", "onespike run 1"
BLOCK_BYTES = 2**20


@dataclass(frozen=True)
class Done:
    """What a step came to.

    Attributes:
        summary: its result in one line.
        failed: whether a check did not pass.
        figures: figures for the JSON document.
    """

    summary: str
    failed: bool = False
    figures: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class BuildStep:
    """A step of a run.

    Attributes:
        name: its name.
        inputs: everything that its result depends on, as JSON-like values.
        files: names of the files that it writes into the folder.
        work: does the work and writes the files.
    """

    name: str
    inputs: Mapping[str, Any]
    files: tuple[str, ...]
    work: Callable[[], Done]


class RunRecord:
    """The record of a folder, rewritten after every step.

    Args:
        folder: the folder; it is created when the first step is finished.

    Raises:
        DataError: the folder has a record of another kind.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._steps: dict[str, Any] = {}
        if (folder / RECORD).exists():
            found = read_object(folder / RECORD)
            if found.get("format") != FORMAT or not isinstance(found.get("steps"), dict):
                raise DataError(f"{folder / RECORD}: must be the record of `onespike build`; name another folder")
            self._steps = found["steps"]

    def finished(self, step: BuildStep) -> Done | None:
        """The result of an earlier run with the same inputs, whose files are unchanged; None where there is none."""
        kept = self._steps.get(step.name)
        if not isinstance(kept, dict) or kept.get("inputs") != digest_of(step.inputs):
            return None
        if kept.get("files") != self._digests(step.files):
            return None
        return Done(str(kept.get("summary")), bool(kept.get("failed")), kept.get("figures"))

    def keep(self, step: BuildStep, done: Done) -> None:
        """Note a finished step."""
        self._steps[step.name] = {
            "inputs": digest_of(step.inputs),
            "files": self._digests(step.files),
            "summary": done.summary,
            "failed": done.failed,
            "figures": done.figures,
        }
        write_object(self.folder / RECORD, {"format": FORMAT, "steps": self._steps})

    def _digests(self, files: tuple[str, ...]) -> dict[str, str | None]:
        return {name: file_digest(self.folder / name) for name in files}


def digest_of(values: object) -> str:
    """Digest of JSON-like values."""
    return sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()[:32]


def file_digest(path: Path) -> str | None:
    """Digest of a file's content; of a folder that of the names, sizes and times in it; None where there is nothing."""
    if path.is_dir():
        inside = sorted(p for p in path.rglob("*") if p.is_file())
        return digest_of([(str(p.relative_to(path)), p.stat().st_size, p.stat().st_mtime_ns) for p in inside])
    if not path.is_file():
        return None
    found = sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            found.update(block)
    return found.hexdigest()[:32]
