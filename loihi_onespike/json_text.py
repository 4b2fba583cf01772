"""Conversion of results to JSON text."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def json_text(document: Mapping[str, object]) -> str:
    """A document as JSON text; infinity and NaN, which JSON does not have, become null.

    Text that UTF-8 cannot hold, such as the bytes of a file name in another encoding, is escaped.
    """
    made = plain(document)
    text = json.dumps(made, indent=2, allow_nan=False, ensure_ascii=False)
    return text if encodable(text) else json.dumps(made, indent=2, allow_nan=False)


def encodable(text: str) -> bool:
    """Whether UTF-8 can hold a text: it has no lone surrogate."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def plain(value: Any) -> Any:
    """A value made of the types that JSON has; arrays become lists and paths become text."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(v) for v in value]
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):  # numpy
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
