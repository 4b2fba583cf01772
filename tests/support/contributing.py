"""The code that CONTRIBUTING.md shows, by the file that it belongs to."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def code_of(section: str) -> dict[str, str]:
    """Python blocks of a section whose first line is a comment with a path, by that path.

    Args:
        section: its heading, without the number signs.
    """
    text = (ROOT / "CONTRIBUTING.md").read_text()
    (body,) = re.findall(rf"^## {re.escape(section)}\n(.*?)(?=^## |\Z)", text, flags=re.DOTALL | re.MULTILINE)
    blocks = re.findall(r"^```python\n# (\S+\.py)\n(.*?)^```", body, flags=re.DOTALL | re.MULTILINE)
    found: dict[str, str] = {}
    for path, code in blocks:
        assert path not in found, f"{path}: two blocks"
        found[path] = code
    return found
