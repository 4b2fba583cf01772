"""Result of tracing, for both importers: the graph, or the error that says why there is none."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from loihi_onespike.core.graphs.ann import AnnGraph
from loihi_onespike.core.graphs.output_form import OutputForm
from loihi_onespike.errors import CalibrationError, ConfigurationError, Finding, UnsupportedModelError
from loihi_onespike.frontend.tracing import support
from loihi_onespike.frontend.tracing.source_lines import raising_line
from loihi_onespike.frontend.tracing.traced_tensor import DataDependent, TracedTensor
from loihi_onespike.frontend.tracing.tracer import ExampleTracer, Root
from loihi_onespike.frontend.tracing.trees import leaves


def unwrapped(model: nn.Module) -> nn.Module:
    """The user's module inside torch.compile and DataParallel."""
    while True:
        if isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
            model = model.module
        elif isinstance(inner := model.__dict__.get("_modules", {}).get("_orig_mod"), nn.Module):
            model = inner
        else:
            return model


def refusal(node: str, found: str, where: str, topic: str) -> UnsupportedModelError:
    """An error with one finding.

    Args:
        node: name of the node or module that cannot be converted.
        found: the operation with the settings that matter.
        where: source line of the user's code, empty when unknown.
        topic: key of the table of supported forms and remedies (`support.SUPPORT`).
    """
    return UnsupportedModelError([Finding(node, found, where, *support.advice_for(topic).texts)])


def single_tensor(name: str, output: Any) -> Any:
    """The single tensor, traced or not, in the result of a model.

    Args:
        name: name of the model, for the message.
        output: result of the model.

    Raises:
        UnsupportedModelError: there is none, or more than one.
    """
    tensors = [leaf for leaf in leaves(output) if isinstance(leaf, (torch.Tensor, TracedTensor))]
    if len(tensors) != 1:
        kind = type(output).__name__
        raise refusal("output", f"{name} returns a {kind} with {len(tensors)} tensors", "", "outputs")
    return tensors[0]


def run_tracer(name: str, tracer: ExampleTracer) -> None:
    """Trace the model called `name`; raises UnsupportedModelError where forward fails on a traced tensor."""
    try:
        tracer.run()
    except (Exception, SystemExit) as error:  # an error of torch or of the user's code, caused by a traced tensor
        where = raising_line(error.__traceback__, Root.forward.__code__)
        asked: tuple[str, ...] = ()
        topic, found = "tracing", f"tracing failed: {type(error).__name__}: {error}"
        if isinstance(error, DataDependent):
            asked, topic, found = error.nodes, error.topic, str(error)
        broken = Finding(tracer.module_path or name, found, where, *support.advice_for(topic).texts)
        raise UnsupportedModelError([*tracer.builder.findings(asked, where), broken]) from error


def traced_outputs(name: str, returned: Any) -> list[TracedTensor]:
    """The tensors in what a traced model returned.

    Raises:
        UnsupportedModelError: there is none, or one of them does not depend on the input.
    """
    tensors = [leaf for leaf in leaves(returned) if isinstance(leaf, (torch.Tensor, TracedTensor))]
    if not tensors:
        raise refusal("output", f"{name} returns a {type(returned).__name__} without tensors", "", "outputs")
    found = [tensor for tensor in tensors if isinstance(tensor, TracedTensor)]
    if len(found) < len(tensors):
        raise refusal("output", f"{name} returns a constant", "", "constant_output")
    return found


def finished(name: str, tracer: ExampleTracer) -> tuple[AnnGraph, list[TracedTensor]]:
    """The graph of a traced model with all its outputs, and its different outputs.

    Raises:
        UnsupportedModelError: with every operation that has no one-spike form, or for a structure that cannot be given
            back.
    """
    tensors = traced_outputs(name, tracer.output)
    different = {tensor.value.node: tensor for tensor in reversed(tensors)}
    different |= {tensor.value.node: tensor for tensor in tensors if not tensor.value.batch.in_front}  # to be reported
    order = list(dict.fromkeys(tensor.value.node for tensor in tensors))
    form = None
    if len(tensors) > 1:

        def number(leaf: Any) -> int | None:
            return order.index(leaf.value.node) if isinstance(leaf, TracedTensor) else None

        try:
            form = OutputForm.of(tracer.output, number)
        except ConfigurationError as error:
            raise refusal("output", f"{name}: {error}", "", "outputs") from error
    outputs = [different[node] for node in order]
    return tracer.builder.finish(name, [output.value for output in outputs], form), outputs


def checked_output(graph: AnnGraph, output: TracedTensor, expected: torch.Tensor, what: str) -> AnnGraph:
    """`graph`, after a comparison of its output with that of the model itself.

    Args:
        graph: what was traced; its name is that of the model.
        output: traced output, with its value on the example.
        expected: output of the model on the example.
        what: what the model was run on, as messages name it: "example" or "graph".

    Raises:
        CalibrationError: the expected output is not finite.
        UnsupportedModelError: both outputs differ.
    """
    if not bool(torch.isfinite(expected).all()):
        raise CalibrationError(f"{graph.name}: the ANN gives NaN or infinity on the {what}; check model and data")
    if output.tensor.shape != expected.shape or not torch.allclose(
        output.tensor, expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max())
    ):
        raise refusal("output", f"{graph.name} gives another output when traced than when run", "", "not_reproducible")
    return graph
