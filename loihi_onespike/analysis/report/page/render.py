"""From the document of a report to one HTML file."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from loihi_onespike.analysis.report.page.section_tables import tables_of
from loihi_onespike.analysis.report.page.tiles import tiles_of
from loihi_onespike.errors import ConfigurationError

HERE = Path(__file__).parent
SCRIPTS = ("page.js", "tables.js", "plots.js", "sections.js")
INSTALL = "pip install 'loihi-onespike[report]'"
SECTIONS = {
    "conversion": "Conversion",
    "accuracy": "Accuracy",
    "errors": "Errors and their price",
    "spikes": "Spikes",
    "levels": "Levels and thresholds",
    "timeline": "Pipeline",
    "board": "Board",
    "energy": "Time and energy",
    "tuning": "Operating points",
}
"""Title of every section, in the order of the page."""
SHORT = {"errors": "Errors", "levels": "Levels", "energy": "Energy", "tuning": "Search"}
"""Titles in the navigation, where the whole ones are too long."""


def require(module: str) -> ModuleType:
    """A module of the extra `report`.

    Raises:
        ConfigurationError: it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise ConfigurationError(f"report: requires the extra `report`, got {error}; {INSTALL}") from error


def check_installed() -> None:
    """Raise ConfigurationError where a package of the extra is missing; called before long work."""
    require("jinja2")
    require("bokeh.resources")


def render(document: Mapping[str, Any], version: str) -> str:
    """The page as text: nothing in it is loaded from elsewhere.

    Args:
        document: the result of `content.collect.collect`.
        version: version of the toolkit, for the foot of the page.

    Raises:
        ConfigurationError: a package of the extra `report` is not installed.
    """
    jinja2, resources = require("jinja2"), require("bokeh.resources")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    environment.filters["with_code"] = _with_code
    bokeh = resources.Resources(mode="inline", components=["bokeh", "bokeh-api"])
    return environment.get_template("page.html").render(
        document=document,
        sections=SECTIONS,
        short={**SECTIONS, **SHORT},
        tables=tables_of(document),
        tiles=tiles_of(document),
        data=packed(document),
        style=(HERE / "style.css").read_text(encoding="utf-8"),
        library="\n".join(_closed(script) for script in bokeh.js_raw),
        scripts="\n".join(_closed((HERE / name).read_text(encoding="utf-8")) for name in SCRIPTS),
        bokeh_version=require("bokeh").__version__,
        version=version,
    )


def _with_code(text: str) -> Any:
    """The text as HTML, with what stands between backquotes as code."""
    safe = require("markupsafe")
    return safe.Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(safe.escape(text))))


def packed(document: Mapping[str, Any]) -> str:
    """The document as JSON, compressed by gzip, in base64; the same document gives the same text."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode("utf-8", "replace"), 9, mtime=0)).decode("ascii")


def _closed(script: str) -> str:
    """A script that can stand inside a <script> element: the text `</script` would end it."""
    return script.replace("</script", "<\\/script")
