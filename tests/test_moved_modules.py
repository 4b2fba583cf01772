"""Names of earlier versions: every entry of the table, and every name that earlier documentation used."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

import loihi_onespike
from loihi_onespike import moved_modules
from loihi_onespike.executors.lava import available

DOCUMENTED = [
    "calibration.Method",
    "cli.main",
    "coding.ThresholdTable",
    "coding.leak",
    "conversion.convert",
    "convert",
    "data.digits.training_part",
    "data.load_data",
    "deployment.Options",
    "deployment.Slurm",
    "deployment.deploy",
    "deployment.preflight",
    "diagnosis.diagnose",
    "distributed.Ranks",
    "errors.OneSpikeError",
    "evaluation.Evaluation",
    "hardware.boards",
    "hardware.load_board",
    "lava_backend.available",
    "lava_backend.nc.models",
    "lava_backend.nc.prepare",
    "lava_backend.run",
    "load",
    "mapping.check_placement",
    "mapping.map_network",
    "mapping.spike_hops",
    "microcode.execute",
    "microcode.instruction_counts",
    "microcode.isa.Instruction",
    "microcode.program_of",
    "microcode.run",
    "microcode.state_rows",
    "models.weights.load_weights",
    "network.OneSpikeNetwork",
    "network.ann_output",
    "passes.lower.lower",
    "passes.quantize.quantize",
    "plots.draw_raster",
    "sim.decode.encode_input",
    "sim.fast.FastExecutor",
    "sim.float.FloatExecutor",
    "sim.reference.run",
    "sim.trace.Trace",
    "sim.trace.first_difference",
    "tuning.Limits",
    "tuning.Search",
    "tuning.tune",
]
DOCUMENTED_WITH_LAVA = [
    "lava_backend.netx.Network",
    "lava_backend.netx.WholeNetwork",
    "lava_backend.processes.network.Network",
]


def found_by_import(name: str) -> object:
    """The object of `from loihi_onespike.<module> import <name>`."""
    module, _, last = f"loihi_onespike.{name}".rpartition(".")
    namespace: dict[str, object] = {}
    exec(f"from {module} import {last} as found", namespace)
    return namespace["found"]


def found_by_attribute(name: str) -> object:
    """The object of `loihi_onespike.<name>` in a process that has imported its module."""
    found: object = loihi_onespike
    for part in name.split("."):
        found = getattr(found, part)
    return found


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", DOCUMENTED)
def test_documented_names(name: str) -> None:
    assert found_by_import(name) is found_by_attribute(name)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.skipif(not available(), reason="needs Lava")
@pytest.mark.parametrize("name", DOCUMENTED_WITH_LAVA)
def test_documented_names_of_lava(name: str) -> None:
    assert found_by_import(name) is found_by_attribute(name)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("old", [m for m in moved_modules.MOVED_MODULES if available() or m != "deployment.graph"])
def test_the_module_of_an_old_name_is_the_new_one(old: str) -> None:
    new = import_module(f"loihi_onespike.{moved_modules.MOVED_MODULES[old]}")
    assert import_module(f"loihi_onespike.{old}") is new
    assert new.__name__ == new.__spec__.name == f"loihi_onespike.{moved_modules.MOVED_MODULES[old]}"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module, names in moved_modules.MOVED_NAMES.items() for name in names]
)
def test_names_that_left_their_module(module: str, name: str) -> None:
    home, _, new = moved_modules.MOVED_NAMES[module][name].partition(":")
    with pytest.warns(DeprecationWarning, match=rf"{module}\.{name} is loihi_onespike\.{home}\.{new} now"):
        found = getattr(import_module(f"loihi_onespike.{module}"), name)
    assert found is getattr(import_module(f"loihi_onespike.{home}"), new)


def test_a_name_that_never_was() -> None:
    for module in ("loihi_onespike", "loihi_onespike.conversion", "loihi_onespike.microcode"):
        with pytest.raises(AttributeError, match=f"module '{module}' has no attribute 'nothing'"):
            _ = import_module(module).nothing
    with pytest.raises(ModuleNotFoundError):
        import_module("loihi_onespike.sim.nothing")


def test_the_names_of_the_package() -> None:
    assert set(loihi_onespike.__all__) <= set(dir(loihi_onespike))
    assert all(getattr(loihi_onespike, name) is not None for name in loihi_onespike.__all__)


def test_a_fresh_process_warns_once_and_loads_one_copy() -> None:
    code = (
        "import sys, warnings; warnings.simplefilter('always'); import loihi_onespike as los; "
        "assert 'torch' not in sys.modules and 'numpy' not in sys.modules; "
        "import loihi_onespike.mapping.mapper; from loihi_onespike.mapping import map_network; "
        "assert map_network is los.boards.mapping.map_network is los.mapping.map_network is los.map_network"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.count("loihi_onespike.mapping is loihi_onespike.boards.mapping now") == 1
    assert ended.stderr.count("<string>:1: DeprecationWarning") == 2  # the package, and the module in it
