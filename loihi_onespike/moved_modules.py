"""Names of earlier versions that live elsewhere now: importing one gives the very same object, with a warning.

    import loihi_onespike.diagnosis                 # the module loihi_onespike.analysis.diagnosis
    from loihi_onespike.microcode import run        # the function of loihi_onespike.executors.microcode

A module below an entry of `MOVED_MODULES` moved with it, unless it has an entry of its own. Nothing is imported before
somebody asks for an old name.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType

PACKAGE = "loihi_onespike."
MOVED_MODULES = {
    "calibration": "conversion.calibration",
    "calibration.method": "conversion.method",
    "coding": "core.codes",
    "conversion_options": "conversion.options",
    "deployment": "boards.deployment",
    "deployment.graph": "boards.deployment.backends.lava.board_graph",
    "deployment.job": "boards.deployment.backends.lava.board_job",
    "deployment.pipeline": "boards.deployment.deployment",
    "deployment.report": "boards.deployment.deployment_report",
    "deployment.runner": "boards.deployment.backends.lava.lava_board",
    "deployment.sign": "boards.deployment.backends.lava.sign_extension",
    "deployment.worker": "boards.deployment.backends.lava.board_worker",
    "diagnosis": "analysis.diagnosis",
    "diagnosis.report": "analysis.diagnosis.report.diagnosis_report",
    "distributed": "jobs.distributed",
    "energy": "boards.energy",
    "energy.counts": "evaluation.spike_counter",
    "energy.document": "boards.energy.estimate_document",
    "energy.load": "boards.energy.core_load",
    "energy.paper": "evaluation.alpha",
    "evaluation.counts": "evaluation.image_counts",
    "evaluation.report": "evaluation.evaluation",
    "evaluation.run": "evaluation.evaluator",
    "graphs.adjacency": "core.gnn.adjacency",
    "graphs.arguments": "frontend.gnn.arguments",
    "graphs.evaluation": "evaluation.gnn",
    "graphs.input_form": "frontend.gnn.input_form",
    "hardware": "boards.specification",
    "ir.activation": "core.activations",
    "ir.ann": "core.graphs.ann",
    "ir.connectivity": "core.maps.connectivity",
    "ir.network": "core.graphs.network",
    "ir.stage": "core.graphs.stage",
    "ir.verify": "core.graphs.verify_network",
    "lava_backend": "executors.lava",
    "mapping": "boards.mapping",
    "mapping.check": "boards.mapping.placement_check",
    "mapping.layer": "boards.mapping.mapped_layer",
    "mapping.place": "boards.mapping.chip_assignment",
    "mapping.remedies": "boards.mapping.mapper",
    "mapping.split": "boards.mapping.layer_split",
    "microcode.counts": "microcode.instruction_counts",
    "microcode.executor": "executors.microcode.microcode_executor",
    "microcode.layout": "microcode.neuron_state",
    "microcode.spec": "microcode.microcode_spec",
    "network": "api",
    "passes.dequantize": "conversion.quantization.dequantize",
    "passes.lower": "conversion.lowering.lower",
    "passes.pool_last": "conversion.lowering.pool_last",
    "passes.quantize": "conversion.quantization.quantize",
    "plots": "analysis.plots",
    "run_folder": "jobs.run_folder",
    "sim.decode": "core.encoding",
    "sim.fast": "executors.fast.fast_executor",
    "sim.float": "executors.float.float_executor",
    "sim.reference": "executors.reference",
    "sim.sparse_sample": "core.gnn.sparse_sample",
    "sim.trace": "core.trace",
    "tuning": "analysis.tuning",
}
"""Modules of earlier versions, and where they are now; both below this package."""

VANISHED_PACKAGES = frozenset(old.partition(".")[0] for old in MOVED_MODULES) & {"graphs", "ir", "passes", "sim"}
"""Packages whose modules went to several places: they stay importable, and are empty."""

MOVED_NAMES = {
    "analysis.tuning": {
        "Measurement": "analysis.tuning:NetworkFigures",
        "Setting": "analysis.tuning:ConversionSetting",
    },
    "boards.deployment": {
        "Measurement": "boards.deployment:BoardMeasurement",
        "Options": "boards.deployment:DeploymentOptions",
    },
    "boards.mapping": {"Layer": "boards.mapping:MappedLayer"},
    "conversion": {
        "convert": "api:convert",
        "Options": "conversion.options:ConversionOptions",
        "calibration_batches": "data.batches:calibration_batches",
        "check_lowering": "conversion.pipeline:check_lowering",
        "plan_float": "conversion.pipeline:plan_float",
    },
    "jobs": {"Job": "jobs:ArrayJob"},
    "microcode": {
        name: f"executors.microcode.microcode_executor:{name}" for name in ("Execution", "Measured", "execute", "run")
    },
}
"""Names that left their module, by the module that had them, and `module:name` of where they are now."""


class MovedModuleFinder(MetaPathFinder):
    """Finds modules by their old names, and answers for names that left a module that is still there."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module that has moved; None, so that other finders are asked, for all others.

        Args:
            fullname: name of the module that is imported.
            path, target: as the import system gives them; not used.
        """
        if not fullname.startswith(PACKAGE):
            return None
        name = fullname[len(PACKAGE) :]
        if name in VANISHED_PACKAGES:
            return ModuleSpec(fullname, None, is_package=True)
        new = new_place(name)
        if new is not None:
            return ModuleSpec(fullname, _MovedModule(PACKAGE + new))
        if name in MOVED_NAMES:
            spec = PathFinder.find_spec(fullname, path)
            if spec is not None and spec.origin is not None and isinstance(spec.loader, SourceFileLoader):
                spec.loader = _ModuleWithMovedNames(fullname, spec.origin)
            return spec
        return None


class _MovedModule(Loader):
    """Gives the module of another name in place of a new one."""

    def __init__(self, new: str) -> None:
        self.new = new

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        warnings.warn(f"{spec.name} is {self.new} now", DeprecationWarning, stacklevel=2)
        module = import_module(self.new)
        self.spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self.spec  # the import system has put that of the old name there


class _ModuleWithMovedNames(SourceFileLoader):
    """Loads a module and lets it answer for the names that it had in earlier versions."""

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        answer_for_moved_names(module)


def answer_for_moved_names(module: ModuleType) -> None:
    """Make the names that left a module available in it."""
    moved = MOVED_NAMES[module.__name__[len(PACKAGE) :]]
    own = module.__dict__.get("__getattr__")

    def find(name: str) -> object:
        if name not in moved:
            if own is not None:
                return own(name)
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
        home, _, new = moved[name].partition(":")
        warnings.warn(f"{module.__name__}.{name} is {PACKAGE}{home}.{new} now", DeprecationWarning, stacklevel=2)
        return getattr(import_module(PACKAGE + home), new)

    module.__dict__["__getattr__"] = find


def new_place(old: str) -> str | None:
    """Where a module of an old name is now, both below this package; None for one that has not moved."""
    head, rest = old, ""
    while head:
        if head in MOVED_MODULES:
            return MOVED_MODULES[head] + rest
        head, _, last = head.rpartition(".")
        rest = f".{last}{rest}"
    return None


def install() -> None:
    """Let the import system find modules by their old names; once per process."""
    if not any(isinstance(finder, MovedModuleFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, MovedModuleFinder())
