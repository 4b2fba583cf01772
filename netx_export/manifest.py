"""The manifest of a file: from the path of every field to its digest."""

from __future__ import annotations

import json
import re

from loihi_onespike.errors import FormatError
from netx_export.layout import FIELDS, MANIFEST, pattern

MAX_MANIFEST_BYTES = 2**26
"""Longest manifest of any file."""
FREE_BYTES = 2**16
"""Bytes of a manifest that need no justification; beyond them every entry is of a field, which takes more."""
DIGEST = re.compile(r"[0-9a-f]{32}")


def manifest_limit(file_bytes: int) -> int:
    """Bytes that the manifest of a file of this size may have."""
    return min(MAX_MANIFEST_BYTES, FREE_BYTES + file_bytes)


def checked_names(raw: bytes) -> dict[str, str]:
    """Digests by path.

    Args:
        raw: JSON, an object of texts.

    Raises:
        FormatError: it is no such object, names a field twice, or one that the format does not have.
    """
    if b"[" in raw or raw.count(b"{") != 1:  # so that the parser builds nothing but one flat object
        raise FormatError(MANIFEST, "must be one JSON object of texts; the file is damaged")
    try:
        pairs = json.loads(raw.decode("utf-8"), object_pairs_hook=list)
    except (ValueError, RecursionError) as error:
        raise FormatError(MANIFEST, f"is not JSON ({error}); the file is damaged") from error
    names: dict[str, str] = {}
    for name, value in pairs:
        shown = ascii(name)[1:-1][:200]
        if pattern(name) not in FIELDS:
            raise FormatError(shown, "is not a field of this version of the format; the file is damaged or was edited")
        if name in names:
            raise FormatError(shown, f"must stand once in {MANIFEST}, got twice")
        if not isinstance(value, str) or not DIGEST.fullmatch(value):
            raise FormatError(shown, f"must have a digest of 32 hexadecimal digits in {MANIFEST}")
        names[name] = value
    return names
