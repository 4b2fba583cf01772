"""The linear map that CONTRIBUTING.md shows, added for real: its code goes into a copy of the product."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.contributing import ROOT, code_of

pytestmark = pytest.mark.thorough

BUILD = """
import numpy as np
from loihi_onespike.core.codes import Base, PhaseCode, ThresholdTable
from loihi_onespike.core.graphs.network import InputPopulation, Membrane, Network, Population, Readout, Synapse
from loihi_onespike.core.graphs.verify_network import verify
from loihi_onespike.core.maps import MAPS, Circulant
from loihi_onespike.executors import reference

rng = np.random.default_rng(0)
SHAPE = (2, 6)
code = PhaseCode(Base.nearest(1.5), 6)

def circulant():
    return Circulant((2 * rng.integers(-20, 21, 6)).astype(np.int16))

def population(name):
    gains = code.thresholds() * Membrane(code.gains, 0, np.zeros((), np.int64), np.ones(())).gains[[6] * 6]
    membrane = Membrane(code.gains, 2, rng.integers(-50, 50, SHAPE), np.ones(()))
    table = ThresholdTable.from_gains(gains / gains.max())
    threshold = rng.integers(200, 900, SHAPE)
    return Population(name, SHAPE, "relu", membrane, 6, code, threshold, table, None, np.ones(()))

readout = Readout("readout", SHAPE, Membrane(code.gains, 0, np.zeros((), np.int64), np.ones(())))
network = verify(Network(
    "circulant",
    (InputPopulation("input", SHAPE, code, np.ones(()), np.zeros(())), population("a"), population("b"), readout),
    (
        Synapse("a", "input", "a", circulant()),
        Synapse("b", "a", "b", circulant(), rng.permutation(12).reshape(SHAPE).astype(np.int32)),
        Synapse("readout", "b", "readout", circulant()),
    ),
))
codes = rng.integers(0, 7, (5, *SHAPE)).astype(np.int16)
expected = reference.run(network, codes)
assert all(0.1 < (expected.layers[name].words != 0).mean() < 1 for name in "ab")

def same(found):
    for name, layer in expected.layers.items():
        if name != "input":
            assert layer.words is None or np.array_equal(layer.words, found.layers[name].words), name
            assert np.array_equal(layer.v, found.layers[name].v), name
    assert np.array_equal(expected.output, found.output)
"""

EXECUTORS = """
import loihi_onespike.microcode
from loihi_onespike.executors.fast.fast_executor import FastExecutor
from loihi_onespike.executors.microcode import microcode_executor
same(FastExecutor(network).run(codes))
same(microcode_executor.run(network, codes))
"""

FILES_AND_BOARDS = """
from pathlib import Path
import netx_export
from loihi_onespike.boards.mapping import check_placement, map_network
from loihi_onespike.boards.specification import load_board
netx_export.write(network, Path("circulant.h5"))
read = netx_export.read(Path("circulant.h5"))
assert all(type(s.op) is Circulant for s in read.synapses)
same(reference.run(read, codes))
mapping = map_network(network, load_board("oheo_gulch"))
assert mapping.fits and check_placement(network, mapping.placement) == []
"""

REGISTERED = """
import importlib
from loihi_onespike.core.maps.registry import REGISTRIES
for path in Path(ROOT).rglob("*.py"):
    if "MapRegistry(" in path.read_text() and path.name != "registry.py":
        importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
assert Circulant in MAPS and len(REGISTRIES) >= 10
assert all(r.find(Circulant) is not None or r.otherwise for r in REGISTRIES.values())
"""

CONVERSION = """
from loihi_onespike.conversion.lowering.lower import lower
from loihi_onespike.conversion.quantization.integer_weights import integer_links
from loihi_onespike.core.activations import RELU
from loihi_onespike.core.graphs.ann import Activate, AnnGraph, Input, Linear, Node
from loihi_onespike.executors.float.float_executor import FloatExecutor
first, second = (Circulant(rng.normal(size=6)) for _ in range(2))
graph = AnnGraph("ann", (
    Node("x", Input(), (), SHAPE), Node("y", Linear(first, np.ones(6)), ("x",), SHAPE),
    Node("r", Activate(RELU), ("y",), SHAPE), Node("z", Linear(second), ("r",), SHAPE),
))
stages = lower(graph)
x = rng.random((3, *SHAPE))
ann = np.stack([second.apply(np.maximum(first.apply(sample) + 1, 0)) for sample in x])
assert np.allclose(FloatExecutor(stages, coded=False).run(x), ann, rtol=1e-4, atol=1e-4)
stage = next(iter(stages.hidden))
assert stage.links[0].macs == first.macs(SHAPE) == 72
((op, exponent),), unit = integer_links(stage, [(np.full((1, 1), 3.0), SHAPE)], 8, np.zeros(()))
assert type(op) is Circulant and op.weight.dtype == np.int16 and exponent == 0
assert np.abs(op.weight * unit.reshape(()) / 3 - first.weight).max() <= unit.max() / 3 * 1.0001
"""

LAVA = """
from loihi_onespike.executors.lava import runner
same(runner.run(network, codes))
same(runner.run(network, codes, processes="whole"))
"""


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the product with the map of CONTRIBUTING.md in it."""
    root = tmp_path_factory.mktemp("product")
    for package in ("loihi_onespike", "netx_export", "hw_configs"):
        shutil.copytree(ROOT / package, root / package)
    for path, code in code_of("Add a linear map").items():
        file = root / path
        before = file.read_text() if file.exists() else ""
        file.write_text(f"{before}\n\n{code}" if before else code)
    return root


def run(product: Path, *parts: str) -> None:
    """Run code on the copy; an assertion that fails there fails here."""
    environment = {**os.environ, "PYTHONPATH": str(product)}
    script = "\n".join((f"from pathlib import Path\nROOT = {str(product)!r}", BUILD, *parts))
    done = subprocess.run([sys.executable, "-c", script], cwd=product, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_page_names_seven_files() -> None:
    paths = list(code_of("Add a linear map"))
    assert len(paths) == 7
    assert [path for path in paths if not (ROOT / path).exists()] == ["loihi_onespike/core/maps/circulant.py"]


def test_executors_agree_and_files_and_boards_take_it(product: Path) -> None:
    run(product, EXECUTORS, FILES_AND_BOARDS, REGISTERED, CONVERSION)


@pytest.mark.lava
def test_lava_agrees(product: Path) -> None:
    run(product, LAVA)
