"""Command line that the benchmarks share: help texts that show the module's examples."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path


def command_parser(documentation: str | None) -> argparse.ArgumentParser:
    """Parser whose help is the documentation of a module, line by line; `--json` is its only option."""
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{Path(sys.argv[0]).stem}",
        description=documentation,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file too")
    return parser


def write_json(path: Path | None, report: object) -> None:
    """Write a report to a JSON file; do nothing for None."""
    if path is not None:
        path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
