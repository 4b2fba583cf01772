"""Makes the golden files of format version 7:  python -m tests.golden.netx_v7.make

Run once, when version 7 was fixed. The files are kept as they are; a new version of the format gets a new folder.
"""

from __future__ import annotations

from pathlib import Path

from tests.golden.make import make_golden_files
from tests.support.networks import sides

if __name__ == "__main__":
    make_golden_files(Path(__file__).parent, 7, [sides()])
