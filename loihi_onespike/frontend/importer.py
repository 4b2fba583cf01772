"""From any `torch.nn.Module` to an `AnnGraph`."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import nn

from loihi_onespike.core.graphs.ann import AnnGraph
from loihi_onespike.errors import CalibrationError, ConfigurationError
from loihi_onespike.frontend.importers.batched_module import BatchedModule
from loihi_onespike.frontend.importers.input_shape import InputShape, input_shape
from loihi_onespike.frontend.importers.sources import HALF, ModelSource, as_module
from loihi_onespike.frontend.tracing.joined_inputs import JoinedInputs
from loihi_onespike.frontend.tracing.preserve import preserved
from loihi_onespike.frontend.tracing.trace_result import (
    checked_output,
    finished,
    refusal,
    run_tracer,
    single_tensor,
    unwrapped,
)
from loihi_onespike.frontend.tracing.tracer import ExampleTracer

TABLES = (nn.Embedding, nn.EmbeddingBag)


def trace(model: ModelSource, example: torch.Tensor) -> AnnGraph:
    """The graph of what the model computes in eval mode for one sample; the model is left as it was.

    Args:
        model: any module of one input tensor, in any mode, on any device; or what `as_module` takes.
        example: a batch as the model takes it, (N, …); two samples are enough. Shapes are those of its samples.

    Raises:
        UnsupportedModelError: with every operation that has no one-spike form.
        CalibrationError: the model does not run on the example, or gives values that are not finite.
    """
    model = as_module(model)
    if not isinstance(example, torch.Tensor):
        raise ConfigurationError(f"example: must be a tensor (N, …), got {type(example).__name__}")
    if example.ndim == 0 or len(example) == 0:
        raise CalibrationError(f"example: must have shape (N, …) with N ≥ 1, got {tuple(example.shape)}")
    if isinstance(model, torch.jit.ScriptModule):
        raise refusal(model._get_name(), "TorchScript module", "", "torchscript")
    model = unwrapped(model)
    if example.dtype in HALF and all(weight.dtype != example.dtype for weight in model.parameters()):
        example = example.float()  # as `as_module` made the model
    name = model._get_name()
    _check_module(name, model, example)
    taken = input_shape(model)
    recorded = model.model if isinstance(model, JoinedInputs) else model
    whole = isinstance(recorded, BatchedModule) and recorded.batch is not None
    if isinstance(recorded, BatchedModule):
        example = recorded.whole_batch(example)
        several = isinstance(model, JoinedInputs)
        model = JoinedInputs(recorded.traced, model.parts, by_name=False) if several else recorded.traced
    with preserved(model):
        batch, output = _run(model, example, whole, taken)
        return _traced(name, model, batch, output)


def _check_module(name: str, model: nn.Module, example: torch.Tensor) -> None:
    if any(nn.parameter.is_lazy(p) for p in (*model.parameters(), *model.buffers())):
        raise refusal(name, "lazy modules without weights", "", "lazy")
    _check_weights(model, example)
    parameters = inspect.signature(model.forward).parameters.values()
    needed = [p.name for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    if isinstance(model, BatchedModule):
        needed = list(model.names)
    if len(needed) > 1:
        raise refusal(name, f"a model of {len(needed)} inputs ({', '.join(needed)})", "", "inputs")


def _check_weights(model: nn.Module, example: torch.Tensor) -> None:
    """Raise ConfigurationError for weights that are no plain real numbers, or of half precision unlike the example."""
    for name, weight in (*model.named_parameters(), *model.named_buffers()):
        for applies, found, remedy in (
            (weight.is_meta, "a tensor on the meta device, which has no values", "load its weights first"),
            (weight.is_complex(), "complex numbers", "use a model of real numbers"),
            (weight.is_quantized, "a quantized tensor", "give the model before its quantization"),
            (weight.layout != torch.strided, f"a {weight.layout} tensor", "use its to_dense()"),
            (
                weight.dtype in HALF and weight.dtype != example.dtype,
                f"{weight.dtype}",
                "pass model.float()",
            ),
        ):
            if applies:
                raise ConfigurationError(
                    f"model: weights must be dense tensors of float32 or float64, got {found} as {name!r}; {remedy}"
                )


def _run(model: nn.Module, example: torch.Tensor, whole: bool, taken: InputShape | None) -> tuple[torch.Tensor, Any]:
    """A small batch that the model takes, and its output.

    With two samples it can be seen whether an operation mixes them. A model with a fixed batch size gets the example.

    Args:
        model: the module.
        example: a batch of inputs.
        whole: the batch size is known to be that of the example.
        taken: shape that the model takes, for the message; None where it is not known.
    """
    two = example[:2] if len(example) > 1 else torch.cat([example, example])
    for batch in (example,) if whole else (two, example):
        batch = batch.detach().clone()
        try:
            return batch, model(batch.clone())
        except (Exception, SystemExit) as error:  # a forward may raise anything
            reason = error
    _refuse_integer_inputs(model, batch)
    wanted = "" if taken is None else f"; {taken.known_from} takes {taken}"
    raise CalibrationError(
        f"example: the model does not run on a batch of shape {tuple(example.shape)}: "
        f"{type(reason).__name__}: {reason}. Pass a batch as the model takes it, on the model's device{wanted}"
    ) from reason


def _refuse_integer_inputs(model: nn.Module, batch: torch.Tensor) -> None:
    """Raise UnsupportedModelError for a model that takes the same numbers as integers: it looks them up in a table."""
    if not torch.equal(batch, batch.long().to(batch.dtype)):
        return
    try:
        model(batch.long())
    except Exception:
        return
    tables = ((name, module) for name, module in model.named_modules() if isinstance(module, TABLES))
    name, table = next(tables, (model._get_name(), None))
    found = "a model of integer inputs" if table is None else f"{table} of the inputs, which are integers"
    raise refusal(name, found, "", "embedding")


def _traced(name: str, model: nn.Module, batch: torch.Tensor, expected: Any) -> AnnGraph:
    tracer = ExampleTracer(model, batch.clone())
    run_tracer(name, tracer)
    graph, outputs = finished(name, tracer)
    given = [single_tensor(name, expected)] if graph.form is None else graph.form.parts(expected)
    for output, of_model in zip(outputs, given, strict=True):
        graph = checked_output(graph, output, of_model, "example")
    return graph
