"""What the documentation site does beyond MkDocs: pages from outside docs/, links that leave it, formulas as MathML.

The pages of docs/ are read in the repository too, so their links are relative to it. A link to a page of the site stays
a link; one to another file of the repository becomes its path, since the site has no copy of the sources.
"""

import re
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath
from typing import Any

from latex2mathml.converter import convert
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
_BENCHMARKS = (f"benchmarks/{path.name}" for path in (ROOT / "benchmarks").glob("*.md"))
OUTSIDE = {name: name.lower() for name in ("CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", *_BENCHMARKS)}
"""Pages of the repository that are pages of the site too, and where."""
HOME = {"README.md": "index.md"}
_LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])+)\]\((?!https?:|mailto:|#)([^)\s#]+)(#[^)\s]*)?\)")
_FENCED = re.compile(r"(^```.*?^```)", re.DOTALL | re.MULTILINE)
_FORMULA = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that lie outside docs/."""
    for source, target in OUTSIDE.items():
        files.append(File.generated(config, target, abs_src_path=str(ROOT / source)))
    for picture in (ROOT / "benchmarks").glob("*.png"):
        files.append(File.generated(config, f"benchmarks/{picture.name}", abs_src_path=str(picture)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Point links to where the site has what they mean."""
    here = page.file.src_uri
    place = next((source for source, target in OUTSIDE.items() if target == here), f"docs/{here}")

    def link(found: re.Match[str]) -> str:
        text, target, anchor = found[1], found[2], found[3] or ""
        path = normpath(str(PurePosixPath(place).parent / target))
        if not (ROOT / path).exists() and path.removeprefix("docs/") not in OUTSIDE.values():
            raise PluginError(f"{place}: {target} does not exist")
        page_of_site = OUTSIDE.get(path) or HOME.get(path) or path.removeprefix("docs/")
        inside = path.startswith("docs/") or path in OUTSIDE or path in HOME
        if not inside or files.get_file_from_path(page_of_site) is None:
            return text if path in text else f"{text} (`{path}`)"
        return f"[{text}]({relpath(page_of_site, str(PurePosixPath(here).parent))}{anchor})"

    parts = _FENCED.split(markdown)
    return "".join(part if part.startswith("```") else _LINK.sub(link, part) for part in parts)


def on_page_content(html: str, page: Any, config: Any, files: Files) -> str:
    """Replace LaTeX by MathML, which browsers show without a script."""

    def formula(found: re.Match[str]) -> str:
        latex = found[3].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        return convert(latex, display="block" if found[2] == "[" else "inline")

    return _FORMULA.sub(formula, html)
