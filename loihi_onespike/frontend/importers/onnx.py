"""ONNX files: onnx2torch converts the file to a torch module, which the front end traces like any other."""

from __future__ import annotations

import re
from collections.abc import MutableSequence
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from loihi_onespike.errors import Finding, ModelLoadError, UnsupportedModelError
from loihi_onespike.frontend.importers.batched_module import BatchedModule
from loihi_onespike.frontend.importers.onnx_opset import lower_opset
from loihi_onespike.frontend.importers.onnx_rewrites import REPLACED, rewrite

_SUPPORTED = "the ONNX operations that onnx2torch reads: convolution, Gemm, pooling, activations, sums, moved values …"
_UNQUOTABLE = re.compile(r"[^\w.:/@+=,;()<>\[\] -]")
"""Characters of a node's name that could end a string of Python; none of those of the common exporters."""
_REMEDY = (
    "export the network without it (simplify the file), or convert the torch module or a torch.export program of it"
)


def onnx_module(path: Path) -> nn.Module:
    """The network of an ONNX file as a module.

    Raises:
        ModelLoadError: the library is not installed, or the file is damaged.
        UnsupportedModelError: onnx2torch cannot read some nodes, also rewritten; all are listed.
    """
    onnx, onnx2torch = _libraries(path)
    try:
        model = onnx.load(str(path), load_external_data=False)
        _check_texts(model, path)
        _check_external_data(model, path)
        onnx.load_external_data_for_model(model, str(path.parent))
        onnx.checker.check_model(model)
    except ModelLoadError:
        raise
    except Exception as error:  # protobuf's, onnx's and the file system's
        raise ModelLoadError(f"{path}: not a valid ONNX file ({type(error).__name__}: {error})") from error
    findings = _unreadable(model, path)
    if findings:
        raise UnsupportedModelError(findings)
    rewrite(model)
    for node in model.graph.node:  # onnx2torch writes the names into the source of a function, between quotes
        node.name = _UNQUOTABLE.sub("_", node.name)
    try:
        module = onnx2torch.convert(model)
    except Exception as error:  # an attribute that its converter does not know
        raise ModelLoadError(f"{path}: onnx2torch cannot read it ({type(error).__name__}: {error})") from error
    for layer in module.modules():
        # onnx2torch takes the shape from what the file says of the values, which may be nothing.
        if isinstance(layer, nn.LayerNorm) and layer.weight is not None and 0 in layer.normalized_shape:
            layer.normalized_shape = tuple(layer.weight.shape)
    inputs = _inputs_of(model)
    return BatchedModule(model.graph.name or path.stem, module, *_sizes_of(inputs), [entry.name for entry in inputs])


def _libraries(path: Path) -> tuple[ModuleType, ModuleType]:
    try:
        import onnx
        import onnx.checker
        import onnx2torch
    except ImportError as error:
        raise ModelLoadError(
            f"{path}: ONNX files are read through onnx2torch, which cannot be imported ({error}); "
            'install it with: pip install "loihi-onespike[onnx]"'
        ) from error
    return onnx, onnx2torch


def _check_texts(message: Any, path: Path) -> None:
    """Names must be texts: protobuf hands out bytes where a file holds no UTF-8, which onnx takes for names too."""
    for field, value in message.ListFields():
        repeated = isinstance(value, MutableSequence)
        if field.message_type is not None:
            for inner in value if repeated else (value,):
                _check_texts(inner, path)
        elif field.type == field.TYPE_STRING:
            for text in value if repeated else (value,):
                if not isinstance(text, str):
                    raise ModelLoadError(
                        f"{path}: {field.full_name} must be a text in UTF-8, got {text[:40]!r}; the file is damaged"
                    )


def _check_external_data(model: Any, path: Path) -> None:
    """Weights outside of the file must be regular files in its folder or below, reached through no link."""
    from onnx.external_data_helper import _get_all_tensors, uses_external_data

    for tensor in _get_all_tensors(model):
        if not uses_external_data(tensor):
            continue
        location = next((entry.value for entry in tensor.external_data if entry.key == "location"), "")
        folder, named = path.parent.resolve(), path.parent / location
        if not location or named.is_symlink() or not named.is_file() or folder not in named.resolve().parents:
            raise ModelLoadError(
                f"{path}: weights outside of the file must be regular files in its folder, but those of "
                f"{tensor.name!r} are in {location!r}; export the network again with its weights beside it"
            )


def _unreadable(model: Any, path: Path) -> list[Finding]:
    """Every node for which onnx2torch has no converter, after newer operations have been given their older form."""
    from onnx2torch.node_converters.registry import get_converter

    written = {entry.domain or "ai.onnx": entry.version for entry in model.opset_import}
    without_older_form = lower_opset(model)
    versions = {entry.domain or "ai.onnx": entry.version for entry in model.opset_import}
    findings = []
    for node in model.graph.node:
        domain = node.domain or "ai.onnx"
        version = written.get(domain, 0)
        try:
            if node.op_type in REPLACED and domain == "ai.onnx":
                continue
            if node.output and node.output[0] in without_older_form:
                raise NotImplementedError
            get_converter(operation_type=node.op_type, version=versions.get(domain, 0), domain=node.domain)
        except NotImplementedError:
            found = f"ONNX operation {node.op_type} (domain {domain}, opset {version})"
            name = node.name or (node.output[0] if node.output else node.op_type)
            findings.append(Finding(name, found, str(path), _SUPPORTED, _REMEDY))
    return findings


def _inputs_of(model: Any) -> list[Any]:
    """The inputs of the network: those of the graph that are no constants."""
    constants = {tensor.name for tensor in model.graph.initializer}
    return [entry for entry in model.graph.input if entry.name not in constants]


def _sizes_of(inputs: list[Any]) -> tuple[int | None, tuple[int | str, ...] | None]:
    """Batch size of the first input, None if it is a name; and its further axes, None if they are not recorded."""
    sizes = inputs[0].type.tensor_type.shape.dim if inputs else []
    if not sizes:
        return None, None
    named = [int(size.dim_value) if size.dim_value > 0 else size.dim_param or "…" for size in sizes]
    return named[0] if isinstance(named[0], int) else None, tuple(named[1:])
