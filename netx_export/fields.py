"""Typed access to the fields of a file; anything unexpected raises a FormatError that names the field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.errors import FormatError
from netx_export.layout import FIELDS, FieldSpec, pattern

Array = NDArray[np.generic]

MAX_NEURONS = 2**27
"""Largest population that a file may describe, so that a damaged or hostile shape cannot reserve unlimited memory."""
MAX_INPUTS = 2**40
"""Largest input: that of a graph has nodes times features elements, nearly all of them zero and none of them stored."""


def check_field(path: str, dtype: np.dtype, rank: int) -> FieldSpec:
    """Compare a stored type and rank with the layout table.

    Args:
        path: Path of the field.
        dtype: Its stored type.
        rank: Its number of axes.

    Returns:
        The entry of the layout table.

    Raises:
        FormatError: the field is unknown, or its type or rank differs from the table.
    """
    field = FIELDS.get(pattern(path))
    if field is None:
        raise FormatError(path, "is not a field of this version of the format; the file is damaged or was edited")
    wanted = np.dtype("S1") if field.dtype == "S" else np.dtype(field.dtype)
    if (dtype.kind != "S") if field.dtype == "S" else (dtype != wanted):
        raise FormatError(path, f"must be {'a string' if field.dtype == 'S' else wanted}, got type {dtype}")
    if field.axes is not None and rank != len(field.axes):
        raise FormatError(path, f"must have {len(field.axes)} axes ({', '.join(field.axes)}), got {rank}")
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
    """The fields of a file below a prefix, with typed and checked access."""

    def __init__(
        self, fields: Mapping[str, Array], prefix: str = "", parents: dict[str, set[str]] | None = None
    ) -> None:
        self._fields, self._prefix = fields, prefix
        self._parents = _children(fields) if parents is None else parents

    def path(self, name: str) -> str:
        """Full path of a field."""
        return self._prefix + name

    def at(self, below: str) -> Fields:
        """The fields below a group."""
        return Fields(self._fields, f"{self._prefix}{below}/", self._parents)

    def has(self, name: str) -> bool:
        """Whether a field is present."""
        return self.path(name) in self._fields

    def fail(self, name: str, message: str) -> FormatError:
        """A FormatError about a field, for the caller to raise."""
        return FormatError(self.path(name), message)

    def array(self, name: str) -> Array:
        """A field as it is stored; type and rank are checked against the layout table.

        Raises:
            FormatError: the field is missing, or its type or rank is wrong.
        """
        path = self.path(name)
        if path not in self._fields:
            raise FormatError(path, "is missing; the file is damaged or was edited")
        array = self._fields[path]
        check_field(path, array.dtype, array.ndim)
        return array

    def integer(self, name: str, low: int, high: int) -> int:
        """An integer in a range.

        Args:
            name: Name of the field.
            low: Smallest allowed value.
            high: Largest allowed value.

        Raises:
            FormatError: the field is missing or its value outside the range.
        """
        value = int(self.array(name)[()])
        if not low <= value <= high:
            raise self.fail(name, f"must be in {low}..{high}, got {value}")
        return value

    def integers(self, name: str, low: int, high: int, length: int | None = None) -> tuple[int, ...]:
        """All values of an integer array, row by row.

        Args:
            name: Name of the field.
            low: Smallest allowed value.
            high: Largest allowed value.
            length: Required number of entries along the first axis; None for any.

        Raises:
            FormatError: the field is missing, has another length, or a value outside the range.
        """
        array = self.array(name)
        values = tuple(int(v) for v in array.ravel().tolist())
        if length is not None and len(array) != length:
            raise self.fail(name, f"must have {length} entries, got {len(array)}")
        if values and not low <= min(values) <= max(values) <= high:
            raise self.fail(name, f"values must be in {low}..{high}, got {min(values)}..{max(values)}")
        return values

    def text(self, name: str) -> str:
        """A string.

        Raises:
            FormatError: the field is missing, holds several strings, or is not UTF-8.
        """
        array = self.array(name)
        if array.size != 1:
            raise self.fail(name, f"must be one string, got {array.size}")
        try:
            return bytes(array.ravel()[0]).decode("utf-8")
        except UnicodeDecodeError as error:
            raise self.fail(name, "is not UTF-8; the file is damaged") from error

    def choice(self, name: str, options: tuple[str, ...]) -> str:
        """One of several strings.

        Args:
            name: Name of the field.
            options: Allowed values.

        Raises:
            FormatError: the field is missing or holds another value.
        """
        value = self.text(name)
        if value not in options:
            raise self.fail(name, f"must be one of {', '.join(options)}, got {value!r}")
        return value

    def finite(self, name: str) -> NDArray[np.float64]:
        """Real numbers.

        Raises:
            FormatError: the field is missing or holds a value that is not finite.
        """
        array = self.array(name).astype(np.float64)
        if not np.all(np.isfinite(array)):
            raise self.fail(name, "holds a value that is not finite")
        return array

    def numbers(self, below: str) -> Iterator[int]:
        """Numbers of the sub-groups of a group, which must run from 0 without a gap.

        Args:
            below: Name of the group.

        Raises:
            FormatError: a number is missing, or a name is not a number.
        """
        names = self._parents.get(self.path(below), set())
        wrong = names - {str(number) for number in range(len(names))}
        if wrong:
            raise FormatError(f"{self.path(below)}/{min(wrong)}", "numbers must run from 0 without a gap")
        return iter(range(len(names)))
