"""25 million weights: at most 3 s to write, 3 s to read and 1.1 bytes each."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from loihi_onespike.core.codes import BinaryCode
from loihi_onespike.core.graphs.network import InputPopulation, Membrane, Network, Readout, Synapse
from loihi_onespike.core.maps import Dense
from netx_export import read, write


@pytest.mark.slow
def test_25_million_weights(tmp_path: Path) -> None:
    weight = np.random.default_rng(0).standard_normal((5000, 5000), dtype=np.float32)
    weight = 2 * np.rint(weight / np.abs(weight).max(1, keepdims=True) * 127)
    source = InputPopulation("input", (5000,), BinaryCode(8), np.array(1.0), np.array(0.0))
    membrane = Membrane((8192,) * 8, 0, np.zeros(5000, np.int64), np.full(5000, 1e-3))
    synapse = Synapse("readout", "input", "readout", Dense(weight.astype(np.int16)))
    network = Network("large", (source, Readout("readout", (5000,), membrane)), (synapse,))
    start = time.perf_counter()
    write(network, tmp_path / "large.net")
    written = time.perf_counter()
    read(tmp_path / "large.net")
    assert written - start <= 3
    assert time.perf_counter() - written <= 3
    assert (tmp_path / "large.net").stat().st_size <= 1.1 * weight.size
