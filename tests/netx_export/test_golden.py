"""Files of every format version so far keep loading and keep their meaning."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from loihi_onespike.core.graphs.network import Network
from loihi_onespike.executors import reference
from netx_export import read
from tests.support.equal import assert_same
from tests.support.networks import (
    chain,
    digits,
    dips,
    dithered,
    graph,
    levels,
    nodes,
    outputs,
    payload,
    products,
    sides,
)

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.mark.parametrize(
    "name",
    [
        "netx_v1/chain",
        "netx_v1/graph",
        "netx_v1/nodes",
        "netx_v2/levels",
        "netx_v3/payload",
        "netx_v4/dips",
        "netx_v4/digits",
        "netx_v5/products",
        "netx_v5/outputs",
        "netx_v6/dithered",
        "netx_v7/sides",
    ],
)
def test_every_version_gives_the_recorded_spikes(name: str) -> None:
    recorded = np.load(GOLDEN / f"{name}.npz")
    trace = reference.run(read(GOLDEN / f"{name}.h5"), recorded["codes"])
    for layer, values in trace.layers.items():
        for quantity, found in (("phases", values.words), ("v", values.v)):
            if found is not None:
                assert np.array_equal(found, recorded[f"{quantity}/{layer}"]), (layer, quantity)
    assert np.allclose(trace.output, recorded["output"], rtol=1e-12)
    hidden = [key for key in recorded if key.startswith("phases/") and key != "phases/input"]
    assert all((recorded[key] != 0).any() for key in hidden)


@pytest.mark.parametrize(
    ("path", "network"),
    [
        ("netx_v1/chain", chain),
        ("netx_v1/graph", graph),
        ("netx_v1/nodes", nodes),
        ("netx_v2/levels", levels),
        ("netx_v3/payload", payload),
        ("netx_v4/dips", dips),
        ("netx_v4/digits", digits),
        ("netx_v5/products", products),
        ("netx_v5/outputs", outputs),
        ("netx_v6/dithered", dithered),
        ("netx_v7/sides", sides),
    ],
)
def test_every_version_holds_what_was_written(path: str, network: Callable[[], Network]) -> None:
    assert_same(read(GOLDEN / f"{path}.h5"), network())


def test_the_files_are_small() -> None:
    assert all(path.stat().st_size < 50_000 for path in GOLDEN.rglob("*.h5"))
