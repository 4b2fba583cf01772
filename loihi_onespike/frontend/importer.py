"""From any `torch.nn.Module` to an `AnnGraph`."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import nn

from loihi_onespike.core.graphs.ann import AnnGraph
from loihi_onespike.errors import CalibrationError, ConfigurationError, Finding, UnsupportedModelError
from loihi_onespike.frontend.importers.sources import ModelSource, as_module
from loihi_onespike.frontend.tracing import support
from loihi_onespike.frontend.tracing.batched import BatchedModule
from loihi_onespike.frontend.tracing.preserve import preserved
from loihi_onespike.frontend.tracing.source_lines import raising_line
from loihi_onespike.frontend.tracing.traced_tensor import Activation, DataDependent
from loihi_onespike.frontend.tracing.tracer import ExampleTracer, Root
from loihi_onespike.frontend.tracing.trees import leaves


def trace(model: ModelSource, example: torch.Tensor) -> AnnGraph:
    """The graph of what the model computes in eval mode for one sample; the model is left as it was.

    Args:
        model: any module of one input and one output tensor, in any mode, on any device; or what `as_module` takes.
        example: a batch as the model takes it, (N, …); two samples are enough. Shapes are those of its samples.

    Raises:
        UnsupportedModelError: with every operation that has no one-spike form.
        CalibrationError: the model does not run on the example, or gives values that are not finite.
    """
    model = as_module(model)
    if not isinstance(example, torch.Tensor):
        raise ConfigurationError(f"example: found a {type(example).__name__}, supported a tensor (N, …)")
    if example.ndim == 0 or len(example) == 0:
        raise CalibrationError(f"example: found shape {tuple(example.shape)}, supported (N, …) with N ≥ 1")
    if isinstance(model, torch.jit.ScriptModule):
        raise _refusal(model._get_name(), "TorchScript module", "", "torchscript")
    model = _unwrapped(model)
    name = model._get_name()
    _check_module(name, model)
    whole = isinstance(model, BatchedModule) and model.batch is not None
    if isinstance(model, BatchedModule):
        example, model = model.whole_batch(example), model.traced
    with preserved(model):
        batch, output = _run(model, example, whole)
        expected = _single_tensor(name, output)
        return _traced(name, model, batch, expected)


def _unwrapped(model: nn.Module) -> nn.Module:
    """The user's module inside torch.compile and DataParallel."""
    while True:
        if isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
            model = model.module
        elif isinstance(inner := model.__dict__.get("_modules", {}).get("_orig_mod"), nn.Module):
            model = inner
        else:
            return model


def _refusal(node: str, found: str, where: str, topic: str) -> UnsupportedModelError:
    return UnsupportedModelError([Finding(node, found, where, *support.advice_for(topic).texts)])


def _check_module(name: str, model: nn.Module) -> None:
    if any(nn.parameter.is_lazy(p) for p in (*model.parameters(), *model.buffers())):
        raise _refusal(name, "lazy modules without weights", "", "lazy")
    parameters = inspect.signature(model.forward).parameters.values()
    needed = [p.name for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    if len(needed) > 1:
        raise _refusal(name, f"a model of {len(needed)} inputs ({', '.join(needed)})", "", "inputs")


def _run(model: nn.Module, example: torch.Tensor, whole: bool) -> tuple[torch.Tensor, Any]:
    """A small batch that the model takes, and its output.

    Two samples show whether an operation mixes them; a model with a batch size written into it gets its own.

    Args:
        whole: the batch size is known to be that of the example.
    """
    two = example[:2] if len(example) > 1 else torch.cat([example, example])
    for batch in (example,) if whole else (two, example):
        batch = batch.detach().clone()
        try:
            return batch, model(batch.clone())
        except Exception as error:  # whatever a forward may raise
            reason = error
    raise CalibrationError(
        f"example: the model does not run on a batch of shape {tuple(example.shape)}: "
        f"{type(reason).__name__}: {reason}. Pass a batch as the model takes it, on the model's device"
    ) from reason


def _single_tensor(name: str, output: Any) -> Any:
    """The one tensor in what a model returns."""
    tensors = [leaf for leaf in leaves(output) if isinstance(leaf, (torch.Tensor, Activation))]
    if len(tensors) != 1:
        kind = type(output).__name__
        raise _refusal("output", f"{name} returns a {kind} with {len(tensors)} tensors", "", "outputs")
    return tensors[0]


def _traced(name: str, model: nn.Module, batch: torch.Tensor, expected: torch.Tensor) -> AnnGraph:
    tracer = ExampleTracer(model, batch.clone())
    try:
        tracer.run()
    except Exception as error:  # torch's and the user's, raised because forward met a stand-in for a tensor
        where = raising_line(error.__traceback__, Root.forward.__code__)
        asked: tuple[str, ...] = ()
        topic, found = "tracing", f"tracing failed: {type(error).__name__}: {error}"
        if isinstance(error, DataDependent):
            asked, topic, found = error.nodes, error.topic, str(error)
        broken = Finding(tracer.module_path or name, found, where, *support.advice_for(topic).texts)
        raise UnsupportedModelError([*tracer.builder.findings(asked, where), broken]) from error
    output = _single_tensor(name, tracer.output)
    if not isinstance(output, Activation):
        raise _refusal("output", f"{name} returns a constant", "", "constant_output")
    graph = tracer.builder.finish(name, output.value)
    if not bool(torch.isfinite(expected).all()):
        raise CalibrationError(f"{name}: the ANN gives NaN or infinity on the example; check model and data")
    if output.tensor.shape != expected.shape or not torch.allclose(
        output.tensor, expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max())
    ):
        raise _refusal("output", f"{name} gives another output when traced than when run", "", "not_reproducible")
    return graph
