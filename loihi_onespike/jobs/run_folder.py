"""A folder that keeps finished pieces of one run: bound to what the run depends on, written file by file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from loihi_onespike.errors import ConfigurationError, DataError
from loihi_onespike.regular_files import objection, write_whole


def claim(
    folder: str | Path, name: str, facts: Mapping[str, object], belongs: Callable[[str], bool], option: str
) -> dict[str, Any]:
    """Make the folder one of a run with these facts, or find that it is; returns the facts as they are stored.

    Args:
        folder: the folder, which is created if it does not exist.
        facts: what the run depends on.
        name: name of the file that holds the facts.
        belongs: whether a file of that name may stand in a folder that no run has claimed yet.
        option: the option that named the folder.

    Raises:
        ConfigurationError: the folder is of another run; names what differs.
        DataError: the folder cannot be used, or holds something else.
    """
    path, wanted = Path(folder), json.loads(json.dumps(facts))
    try:
        path.mkdir(parents=True, exist_ok=True)
        if not (path / name).exists():
            strangers = sorted(p.name for p in path.iterdir() if not (p.name.startswith(".") or belongs(p.name)))
            if strangers and not (path / name).exists():  # another process may have claimed it meanwhile
                raise DataError(
                    f"{path}: must be empty or the folder of an earlier run, contains {strangers[0]}; name "
                    f"another one with {option}"
                )
            write_object(path / name, wanted, replace=False)
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or error
        raise DataError(f"{path}: cannot be used ({said}); name another folder with {option}") from error
    stored = read_object(path / name)
    if stored != wanted:
        other = "; ".join(
            f"{key}: {stored.get(key)} in the folder, {wanted.get(key)} in this run"
            for key in dict.fromkeys([*wanted, *stored])
            if stored.get(key) != wanted.get(key)
        )
        raise ConfigurationError(f"{path}: is the folder of another run ({other}); name another one with {option}")
    return wanted


def read_object(path: Path) -> dict[str, Any]:
    """A JSON object; raises DataError naming the file."""
    try:
        if against := objection(path):
            raise ValueError(against)
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError(f"must be a JSON object, got {type(found).__name__}")
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: cannot be read ({error}); delete it, what it held is made again") from error
    return found


def write_object(path: Path, document: Mapping[str, object], replace: bool = True) -> None:
    """The whole file or none, on disk when this returns; with replace=False a file that is there stays as it is.

    Args:
        path: file to write.
        document: content for JSON.
        replace: whether to replace an existing file.

    Raises:
        WriteError: the file cannot be written.
    """
    write_whole(path, json.dumps(document).encode("utf-8"), replace)
