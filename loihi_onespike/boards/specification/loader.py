"""Strict loading of board and chip files: all problems of a file are reported together, with file and key."""

from __future__ import annotations

import json
import re
import sys
from difflib import get_close_matches
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_origin

from pydantic import TypeAdapter, ValidationError

from loihi_onespike.boards.specification.spec import Board, BoardFile, Chip
from loihi_onespike.errors import BoardError, BoardProblem
from loihi_onespike.regular_files import objection

if TYPE_CHECKING or sys.version_info < (3, 11):
    import tomli as tomllib
else:
    import tomllib

T = TypeVar("T")
SUFFIX = ".toml"
MAX_FILE_BYTES = 2**18
"""Longest file; the shipped ones have some kilobytes."""
MAX_PARTS = 5000
MAX_SHOWN = 200
"""Characters of a name or a value that a message shows."""
UNIT = re.compile(r"_(words|bits|bytes|kib|pj|ns|us|ms|s|mw|w|steps|per_chip)$")


def boards() -> tuple[str, ...]:
    """Names of the boards that come with the package, newer chips first, then by number of cores."""
    names = [p.name[: -len(SUFFIX)] for p in _shipped("").iterdir() if p.name.endswith(SUFFIX)]
    return tuple(sorted(names, key=lambda n: (-load_board(n).chip.generation, load_board(n).cores, n)))


def load_board(name_or_path: str | Path) -> Board:
    """Load a board by name or from a file.

    Args:
        name_or_path: A name of `boards()`, or the path of a `.toml` file.

    Returns:
        The board with its chip.

    Raises:
        BoardError: the board does not exist, or its file has problems; all of them are listed.
    """
    return _board(str(name_or_path))


@lru_cache(maxsize=64)
def _shipped_board(name: str) -> Board:
    return _read_board(_shipped("") / f"{name}{SUFFIX}", name)


def _board(given: str) -> Board:
    path = Path(given)
    if path.suffix == SUFFIX or path.parent != Path():
        if not _is_file(path):
            raise BoardError([BoardProblem(_shown(given), "", "no such file")])
        return _read_board(path, path.stem)
    name = given.lower().replace(" ", "_").replace("-", "_")
    known = sorted(p.name[: -len(SUFFIX)] for p in _shipped("").iterdir() if p.name.endswith(SUFFIX))
    if name not in known:
        near = [k for k in known if k.startswith(name)] or get_close_matches(name[:MAX_SHOWN], known, 1)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        message = f"no such board; must be one of {', '.join(known)}, or the path of a {SUFFIX} file{hint}"
        raise BoardError([BoardProblem(_shown(given), "", message)])
    return _shipped_board(name)


def _read_board(path: Any, board_id: str) -> Board:
    problems: list[BoardProblem] = []
    content = _toml(path, problems)
    file = None if content is None else _valid(path, content, BoardFile, problems)
    named = None if content is None else content.get("chip")
    chip = _chip(path, named, problems) if isinstance(named, str) else None
    if file is not None:
        for key in ("chips", "usable_cores_per_chip"):
            quantity = getattr(file, key)
            if not quantity.value:
                problems.append(BoardProblem(str(path), key, f"must be a number above 0, got {quantity}"))
    if file is not None and chip is not None:
        usable, there = file.usable_cores_per_chip.value, chip.core.cores_per_chip.value
        if usable is not None and there is not None and usable > there:
            message = f"must be at most {there}, the cores of {chip.name}, got {usable}"
            problems.append(BoardProblem(str(path), "usable_cores_per_chip", message))
    if problems or file is None or chip is None:
        raise BoardError(problems)
    values = {key: getattr(file, key) for key in BoardFile.__dataclass_fields__}
    return Board(id=board_id, **{**values, "chip": chip})


def load_chip(name_or_path: str | Path) -> Chip:
    """Load a chip by name or from a file.

    Args:
        name_or_path: loihi_1, loihi_2, or the path of a `.toml` file.

    Raises:
        BoardError: the chip does not exist, or its file has problems; all of them are listed.
    """
    problems: list[BoardProblem] = []
    given = Path(name_or_path)
    path: Any = given if given.suffix == SUFFIX else _shipped("chips") / f"{name_or_path}{SUFFIX}"
    content = _toml(path, problems) if _is_file(path) else None
    chip = None if content is None else _valid(path, content, Chip, problems)
    if chip is None:
        raise BoardError(problems or [BoardProblem(_shown(name_or_path), "", "no such chip")])
    return chip


def _chip(board: Any, name: str, problems: list[BoardProblem]) -> Chip | None:
    """The chip that a board file names."""
    if name.endswith(SUFFIX):
        path = Path(str(board)).parent / name
    else:
        path = _shipped("chips") / f"{name}{SUFFIX}"
    if not _is_file(path):
        known = sorted(p.name[: -len(SUFFIX)] for p in _shipped("chips").iterdir() if p.name.endswith(SUFFIX))
        message = (
            f"must be one of {', '.join(known)}, or the name of a {SUFFIX} file beside this one, got {_shown(name)!r}"
        )
        problems.append(BoardProblem(str(board), "chip", message))
        return None
    content = _toml(path, problems)
    return None if content is None else _valid(path, content, Chip, problems)


def _shipped(folder: str) -> Any:
    root = resources.files("hw_configs")
    return root / folder if folder else root


def _toml(path: Any, problems: list[BoardProblem]) -> dict[str, Any] | None:
    """The content of a file; None when it cannot be read, which is added to `problems`."""
    try:
        if isinstance(path, Path) and (against := objection(path)):
            raise ValueError(against)
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            raise ValueError(f"must have at most {MAX_FILE_BYTES} bytes")
        text = content.decode("utf-8")
        if max(map(text.count, "[{.")) > MAX_PARTS:  # the parser takes longer than linear time for deep tables
            raise ValueError(f"must have at most {MAX_PARTS} tables, lists and dots each")
        return tomllib.loads(text)
    except OSError as error:
        problems.append(BoardProblem(_shown(path), "", f"cannot be read ({error.strerror})"))
    except tomllib.TOMLDecodeError as error:  # repeated keys are errors of TOML itself
        problems.append(BoardProblem(_shown(path), "", f"is not TOML: {_shown(error)}"))
    except UnicodeDecodeError as error:
        problems.append(BoardProblem(_shown(path), "", f"is not TOML: {error}"))
    except (ValueError, RecursionError) as error:  # numbers of thousands of digits, tables in tables in tables
        problems.append(BoardProblem(_shown(path), "", f"cannot be used: {_shown(error)}"))
    return None


def _is_file(path: Any) -> bool:
    """Whether a file of any kind exists under this name; False for names that no file can have."""
    try:
        return bool(path.exists() if isinstance(path, Path) else path.is_file())
    except (OSError, ValueError):
        return False


def _shown(value: object) -> str:
    """A value for a message, cut where it is long."""
    text = str(value)
    text = text if text.isprintable() else ascii(text)[1:-1]
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}… ({len(text)} characters)"


def _valid(path: Any, content: dict[str, Any], kind: type[T], problems: list[BoardProblem]) -> T | None:
    """The content as `kind`; None when something is wrong, which is added to `problems`."""
    try:
        # As JSON: strict validation of Python objects takes no tables for dataclasses. Dates become text, which no
        # field takes for a number.
        return TypeAdapter(kind).validate_json(json.dumps(content, default=str))
    except ValidationError as error:
        problems.extend(_problems(_shown(path), kind, error))
    except (ValueError, RecursionError) as error:
        problems.append(BoardProblem(_shown(path), "", f"cannot be used: {_shown(error)}"))
    return None


def _problems(file: str, kind: type, error: ValidationError) -> list[BoardProblem]:
    found = []
    for item in error.errors():
        key = _shown(".".join(map(str, item["loc"])))
        if item["type"] == "missing":
            # Texts cannot be unknown.
            plain = key.endswith(("status", "name", "chip", "generation"))
            message = "is missing" if plain else 'is missing; what is not known is { status = "NF" }'
        elif item["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
            message = "is not a key of these files" + _unit_hint(kind, item["loc"])
        else:
            message = f"{item['msg'].removeprefix('Value error, ')}, got {_shown(repr(item['input']))}"
            if item["type"] == "value_error":
                message = item["msg"].removeprefix("Value error, ")
        found.append(BoardProblem(file, key, message))
    return found


def _unit_hint(kind: type, location: tuple[int | str, ...]) -> str:
    """The key that was meant, when only the unit differs."""
    fields: Any = kind
    for part in location[:-1]:
        fields = _field_type(fields, str(part))
    known = list(getattr(get_origin(fields) or fields, "__dataclass_fields__", {}))
    key = str(location[-1])
    same = [k for k in known if UNIT.sub("", k) == UNIT.sub("", key)]
    if same:
        return f"; the unit is part of the key, which must be {same[0]}"
    near = get_close_matches(key[:MAX_SHOWN], known, 1)
    return f"; did you mean {near[0]}?" if near else f"; must be one of {', '.join(known)}"


def _field_type(kind: Any, name: str) -> Any:
    field = getattr(kind, "__pydantic_fields__", {}).get(name)
    return None if field is None else field.annotation
