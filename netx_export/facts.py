"""The record of how a network was made, as it stands in a file: what of it programs rely on is checked like a field."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from loihi_onespike.errors import FormatError

FACTS = "onespike/facts"
MAX_FACTS_BYTES = 2**24
MAX_DEPTH = 32
"""Deepest nesting of objects and lists."""
FREE_BRACKETS = 2**16
"""Objects and lists together, at most; a record holds a few per population."""
HEADROOM = ("v_bits", "v_worst_bits", "input_bits", "input_worst_bits")


def checked_facts(text: str) -> dict[str, object]:
    """The record of a network.

    Args:
        text: JSON.

    Raises:
        FormatError: it is not a JSON object of finite numbers and texts of Unicode, is nested too deeply, or an entry
            that programs rely on (`ann_macs`, `headroom`, `options`, `rewrites`) is of another form; names the entry.
    """
    if len(text) > MAX_FACTS_BYTES or text.count("[") + text.count("{") > FREE_BRACKETS:
        raise FormatError(FACTS, f"must be at most {MAX_FACTS_BYTES} bytes and {FREE_BRACKETS} objects and lists")
    try:
        facts = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise FormatError(FACTS, f"is not JSON ({error}); the file is damaged") from error
    if not isinstance(facts, dict):
        raise FormatError(FACTS, f"must be a JSON object, got {type(facts).__name__}")
    _plain(facts, FACTS, MAX_DEPTH)
    for name, check in (("ann_macs", _macs), ("headroom", _headroom)):
        if name in facts:
            check(facts[name], f"{FACTS}/{name}")
    for name, kind in (("options", dict), ("rewrites", list), ("graph", dict), ("outputs", dict), ("inputs", dict)):
        if not isinstance(facts.get(name, kind()), kind):
            words = "an object" if kind is dict else "a list"
            raise FormatError(f"{FACTS}/{name}", f"must be {words}, got {type(facts[name]).__name__}")
    return facts


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number of JSON")


def _plain(value: object, path: str, depth: int) -> None:
    """Refuse what JSON text or UTF-8 cannot hold again: lone surrogates, infinite numbers, deep nesting."""
    if depth == 0:
        raise FormatError(FACTS, f"must be nested at most {MAX_DEPTH} deep")
    if isinstance(value, str):
        if not _is_unicode(value):
            raise FormatError(path, "must be text of Unicode, got a lone surrogate")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise FormatError(path, f"must be a finite number, got {value}")
    elif isinstance(value, dict):
        for key, below in value.items():
            if not _is_unicode(key):
                raise FormatError(path, "must have keys of Unicode, got a lone surrogate")
            _plain(below, f"{path}/{key[:80]}", depth - 1)
    elif isinstance(value, list):
        for number, below in enumerate(value):
            _plain(below, f"{path}/{number}", depth - 1)


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= c <= "\udfff" for c in text) if not text.isascii() else True


def _macs(value: object, path: str) -> None:
    if not isinstance(value, Mapping):
        raise FormatError(path, f"must be an object of synapse groups, got {type(value).__name__}")
    for name, count in value.items():
        if isinstance(count, bool) or not isinstance(count, int | float) or count < 0 or count > 2**63:
            raise FormatError(f"{path}/{name}", f"must be a number from 0 to 2^63, got {str(count)[:40]!r}")


def _headroom(value: object, path: str) -> None:
    if not isinstance(value, Mapping):
        raise FormatError(path, f"must be an object of populations, got {type(value).__name__}")
    for name, widths in value.items():
        if not isinstance(widths, Mapping):
            raise FormatError(f"{path}/{name}", f"must be an object of widths, got {type(widths).__name__}")
        for key in HEADROOM:
            found = widths.get(key, 0)
            if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found <= 2**15:
                raise FormatError(f"{path}/{name}/{key}", f"must be an integer of bits, got {str(found)[:40]!r}")
