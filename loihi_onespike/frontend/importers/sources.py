"""Forms in which a model may be given: a module, an exported program, or a file of one of two kinds."""

from __future__ import annotations

import warnings
from copy import deepcopy
from pathlib import Path
from typing import TypeAlias

import torch
from torch import nn
from torch.export import ExportedProgram

from loihi_onespike.errors import ConfigurationError, ModelLoadError, OneSpikeWarning
from loihi_onespike.frontend.importers.onnx import onnx_module
from loihi_onespike.frontend.importers.program import ExportedModule
from loihi_onespike.frontend.importers.program_file import read_program

ModelSource: TypeAlias = nn.Module | ExportedProgram | str | Path
"""A module, a program of `torch.export.export`, or the path of an .onnx or .pt2 file."""

HALF = {torch.float16, torch.bfloat16}
SUPPORTED = "a torch.nn.Module, a torch.export.ExportedProgram, or the path of an .onnx or .pt2 file"


def as_module(model: ModelSource) -> nn.Module:
    """The model as a module that can be run, traced and compared with; a module is itself.

    A model whose real tensors are all of one half precision (float16 or bfloat16) becomes a copy of it in float32,
    which holds the same numbers. Its sums are then those of float32.

    Raises:
        ModelLoadError: a file cannot be read, or the library for it is missing.
        UnsupportedModelError: an ONNX file has operations that cannot be read, all of them listed.
        ConfigurationError: something else was given.

    Warns:
        OneSpikeWarning: the model is of half precision.
    """
    if isinstance(model, ExportedProgram):
        return _widened(ExportedModule(model))
    if isinstance(model, str | Path):
        return _widened(_from_file(Path(model)))
    if not isinstance(model, nn.Module):
        raise ConfigurationError(f"model: must be {SUPPORTED}, got {type(model).__name__}")
    return _widened(model)


def _widened(model: nn.Module) -> nn.Module:
    """A copy in float32 of a model of one half precision; any other model itself."""
    if isinstance(model, torch.jit.ScriptModule):
        return model
    tensors = [t for t in (*model.parameters(), *model.buffers()) if nn.parameter.is_lazy(t) or t.is_floating_point()]
    types = {t.dtype for t in tensors}
    if len(types) != 1 or not types <= HALF or any(nn.parameter.is_lazy(t) or t.is_meta for t in tensors):
        return model
    try:
        wide = deepcopy(model).float()
    except Exception:  # a module that cannot be copied; the importer then says what to do
        return model
    (half,) = types
    warnings.warn(
        f"model: its tensors are {half}; they are taken as float32, which holds the same numbers, and the network is "
        "compared with the model in float32",
        OneSpikeWarning,
        stacklevel=3,
    )
    return wide


def _from_file(path: Path) -> nn.Module:
    kind = path.suffix.lower()
    if kind not in (".onnx", ".pt2"):
        raise ModelLoadError(f"{path}: file name must end in .onnx or .pt2, got {kind!r}")
    if not path.is_file():
        raise ModelLoadError(f"{path}: no such file")
    return onnx_module(path) if kind == ".onnx" else ExportedModule(read_program(path))
