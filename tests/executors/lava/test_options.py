"""Options and codes outside their range, and Python without Lava: refused before anything is started."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from loihi_onespike.errors import ConfigurationError, LavaError
from loihi_onespike.executors.lava import availability, available, run, why_unavailable
from tests.support.lava_networks import chain, codes

NET = chain(1)
X = codes(NET, 2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"precision": "float32"}, r"precision: must be fixed_pt or floating_pt, got 'float32'"),
        ({"synapses": "scipy"}, r"synapses: must be own or stock, got 'scipy'"),
        ({"processes": "one"}, r"processes: must be graph or whole, got 'one'"),
        ({"processes": "whole", "synapses": "stock"}, r"be graph with fixed_pt and stock synapses, got whole"),
        (
            {"processes": "whole", "precision": "floating_pt"},
            r"graph with floating_pt and own synapses, got whole",
        ),
        (
            {"synapses": "stock", "precision": "floating_pt"},
            r"own with floating_pt, got stock.*ignore weight_exp",
        ),
    ],
)
def test_options(changes: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        run(NET, X, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        (X[:, 0], r"codes: must have shape \(N, 1, 8, 8\) with N ≥ 1, got \(2, 8, 8\)"),
        (X[:0], r"codes: must have shape .* got \(0, 1, 8, 8\)"),
        (X / 2, r"codes: must be integers, got type float64"),
    ],
)
def test_codes(codes: np.ndarray, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        run(NET, codes)


def test_without_lava(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(availability, "find_spec", lambda name: None)
    found = f"it has Python {sys.version_info.major}.{sys.version_info.minor}, Lava supports 3.10"
    assert found in (why_unavailable() or "")
    assert not available()
    with pytest.raises(LavaError, match=r"install Python 3\.10 and.*pip install 'loihi-onespike\[lava\]'"):
        run(NET, X)


def test_importing_the_package_imports_neither_lava_nor_torch() -> None:
    check = "import sys, loihi_onespike.executors.lava; sys.exit(any(m in sys.modules for m in ('lava', 'torch')))"
    assert subprocess.run([sys.executable, "-c", check]).returncode == 0
