"""What the start of the command line and the import of the package must not load: it takes seconds."""

from __future__ import annotations

import subprocess
import sys

import pytest

SLOW = ("torch", "numba", "scipy", "pydantic", "h5py", "sklearn", "matplotlib", "lava")

HELP = """
import sys
sys.argv = ["onespike", "--help"]
from loihi_onespike.cli import main
try:
    main()
except SystemExit:
    pass
"""


@pytest.mark.parametrize("program", ["import loihi_onespike", HELP], ids=["import", "help"])
def test_start_loads_none_of_the_slow_modules(program: str) -> None:
    code = f"{program}\nimport sys; print('LOADED', *(m for m in {SLOW!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].split() == ["LOADED"]
