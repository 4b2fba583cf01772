"""Forms in which a model may be given: a module, an exported program, or a file of one of two kinds."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from torch import nn
from torch.export import ExportedProgram

from loihi_onespike.errors import ConfigurationError, ModelLoadError
from loihi_onespike.frontend.importers.onnx import onnx_module
from loihi_onespike.frontend.importers.program import ExportedModule
from loihi_onespike.frontend.importers.program_file import read_program

ModelSource: TypeAlias = nn.Module | ExportedProgram | str | Path
"""A module, a program of `torch.export.export`, or the path of an .onnx or .pt2 file."""

SUPPORTED = "a torch.nn.Module, a torch.export.ExportedProgram, or the path of an .onnx or .pt2 file"


def as_module(model: ModelSource) -> nn.Module:
    """The model as a module that can be run, traced and compared with; a module is itself.

    Raises:
        ModelLoadError: a file cannot be read, or the library for it is missing.
        UnsupportedModelError: an ONNX file has operations that cannot be read, all of them listed.
        ConfigurationError: something else was given.
    """
    if isinstance(model, ExportedProgram):
        return ExportedModule(model)
    if isinstance(model, str | Path):
        return _from_file(Path(model))
    if not isinstance(model, nn.Module):
        raise ConfigurationError(f"model: must be {SUPPORTED}, got {type(model).__name__}")
    return model


def _from_file(path: Path) -> nn.Module:
    kind = path.suffix.lower()
    if kind not in (".onnx", ".pt2"):
        raise ModelLoadError(f"{path}: file name must end in .onnx or .pt2, got {kind!r}")
    if not path.is_file():
        raise ModelLoadError(f"{path}: no such file")
    return onnx_module(path) if kind == ".onnx" else ExportedModule(read_program(path))
