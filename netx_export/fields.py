"""Typed access to the fields of a file; everything unexpected is a FormatError that names the field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.errors import FormatError
from netx_export.layout import FIELDS, FieldSpec, pattern

Array = NDArray[np.generic]

MAX_TEXT_BYTES = 2**26
MAX_NEURONS = 2**27
"""Largest population that a file may describe; a damaged or hostile shape must not reserve memory without end."""
MAX_INPUTS = 2**40
"""Largest input: of a graph it has nodes times features places, nearly all of them empty and none of them stored."""


def check_field(path: str, dtype: np.dtype, rank: int) -> FieldSpec:
    """Compare a stored type and rank with the layout table."""
    field = FIELDS.get(pattern(path))
    if field is None:
        raise FormatError(path, "is no field of this version of the format; the file is damaged or was edited")
    wanted = np.dtype("S1") if field.dtype == "S" else np.dtype(field.dtype)
    if (dtype.kind != "S") if field.dtype == "S" else (dtype != wanted):
        raise FormatError(path, f"found type {dtype}, the format has {'a string' if field.dtype == 'S' else wanted}")
    if field.axes is not None and rank != len(field.axes):
        raise FormatError(path, f"found {rank} axes, the format has {len(field.axes)} ({', '.join(field.axes)})")
    return field


def _children(fields: Mapping[str, Array]) -> dict[str, set[str]]:
    """Names below every group, so that nothing has to search all paths."""
    children: dict[str, set[str]] = {}
    for path in fields:
        parts = path.split("/")
        for depth in range(1, len(parts)):
            children.setdefault("/".join(parts[:depth]), set()).add(parts[depth])
    return children


class Fields:
    """A part of the fields below a prefix."""

    def __init__(
        self, fields: Mapping[str, Array], prefix: str = "", parents: dict[str, set[str]] | None = None
    ) -> None:
        self._fields, self._prefix = fields, prefix
        self._parents = _children(fields) if parents is None else parents

    def path(self, name: str) -> str:
        return self._prefix + name

    def at(self, below: str) -> Fields:
        return Fields(self._fields, f"{self._prefix}{below}/", self._parents)

    def has(self, name: str) -> bool:
        return self.path(name) in self._fields

    def fail(self, name: str, message: str) -> FormatError:
        return FormatError(self.path(name), message)

    def array(self, name: str) -> Array:
        """A field as stored; its type and rank follow the layout table."""
        path = self.path(name)
        if path not in self._fields:
            raise FormatError(path, "is missing; the file is damaged or was edited")
        array = self._fields[path]
        check_field(path, array.dtype, array.ndim)
        return array

    def integer(self, name: str, low: int, high: int) -> int:
        value = int(self.array(name)[()])
        if not low <= value <= high:
            raise self.fail(name, f"found {value}, supported {low}..{high}")
        return value

    def integers(self, name: str, low: int, high: int, length: int | None = None) -> tuple[int, ...]:
        """All values of an integer array, row by row."""
        array = self.array(name)
        values = tuple(int(v) for v in array.ravel().tolist())
        if length is not None and len(array) != length:
            raise self.fail(name, f"found {len(array)} entries, {length} are needed")
        if values and not low <= min(values) <= max(values) <= high:
            raise self.fail(name, f"found values in {min(values)}..{max(values)}, supported {low}..{high}")
        return values

    def text(self, name: str) -> str:
        array = self.array(name)
        if array.size != 1:
            raise self.fail(name, f"found {array.size} strings, one is needed")
        try:
            return bytes(array.ravel()[0]).decode("utf-8")
        except UnicodeDecodeError as error:
            raise self.fail(name, "is not UTF-8; the file is damaged") from error

    def choice(self, name: str, options: tuple[str, ...]) -> str:
        value = self.text(name)
        if value not in options:
            raise self.fail(name, f"found {value!r}, supported {', '.join(options)}")
        return value

    def finite(self, name: str) -> NDArray[np.float64]:
        array = self.array(name).astype(np.float64)
        if not np.all(np.isfinite(array)):
            raise self.fail(name, "holds a value that is not finite")
        return array

    def numbers(self, below: str) -> Iterator[int]:
        """Numbers of the sub-groups of `below`, which must run from 0 without a gap."""
        names = self._parents.get(self.path(below), set())
        wrong = names - {str(number) for number in range(len(names))}
        if wrong:
            raise FormatError(f"{self.path(below)}/{min(wrong)}", "numbers must run from 0 without a gap")
        return iter(range(len(names)))
