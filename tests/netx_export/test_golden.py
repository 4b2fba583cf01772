"""Files of every format version so far keep loading and keep their meaning."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from loihi_onespike.sim import reference
from netx_export import read
from tests.support.equal import assert_same
from tests.support.networks import chain, graph, nodes

GOLDEN = Path(__file__).parents[1] / "golden" / "netx_v1"


@pytest.mark.parametrize("name", ["chain", "graph", "nodes"])
def test_version_1_gives_the_recorded_spikes(name: str) -> None:
    recorded = np.load(GOLDEN / f"{name}.npz")
    trace = reference.run(read(GOLDEN / f"{name}.h5"), recorded["codes"])
    for layer, values in trace.layers.items():
        for quantity in ("phases", "v"):
            found = getattr(values, quantity)
            if found is not None:
                assert np.array_equal(found, recorded[f"{quantity}/{layer}"]), (layer, quantity)
    assert np.allclose(trace.output, recorded["output"], rtol=1e-12)
    hidden = [key for key in recorded if key.startswith("phases/") and key != "phases/input"]
    assert all((recorded[key] != 0).any() for key in hidden)


def test_version_1_holds_what_was_written() -> None:
    assert_same(read(GOLDEN / "chain.h5"), chain())
    assert_same(read(GOLDEN / "graph.h5"), graph())
    assert_same(read(GOLDEN / "nodes.h5"), nodes())


def test_the_files_are_small() -> None:
    assert all(path.stat().st_size < 50_000 for path in GOLDEN.iterdir())
