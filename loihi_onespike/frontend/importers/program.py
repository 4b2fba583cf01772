"""Programs of `torch.export`: a module that replays them node by node, with the names and lines of their source."""

from __future__ import annotations

import re
import warnings
from math import prod
from typing import Any

import torch
from torch import fx, nn
from torch.export import ExportedProgram

from loihi_onespike.frontend.importers.batched_module import BatchedModule
from loihi_onespike.frontend.tracing.source_lines import is_user_file, shown_line
from loihi_onespike.frontend.tracing.traced_tensor import TracedTensor

_ATEN = torch.ops.aten
_VIEWS = (_ATEN.view.default, _ATEN._unsafe_view.default, _ATEN.reshape.default)


class ExportedModule(BatchedModule):
    """An exported program as a module."""

    def __init__(self, program: ExportedProgram) -> None:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*get_attr", category=UserWarning)  # constants, all there
            module = program.module()
            # A fresh module of its graph: the exported one refuses eval(), and checks inputs that tracing replaces.
            fresh = fx.GraphModule(module, module.graph)
            rejoin_linear(fresh.graph)
            fresh.recompile()
        names = [name for name in program.graph_signature.user_inputs if isinstance(name, str)]
        super().__init__("ExportedProgram", fresh, *_input_of(program), names)

    @property
    def traced(self) -> nn.Module:
        return self

    def forward(self, *given: Any, **named: Any) -> Any:
        inputs = given or [named[name] for name in self.names]
        traced = next((x for x in inputs if isinstance(x, TracedTensor)), None)
        return super().forward(*inputs) if traced is None else _Replay(self.program, traced).run(*inputs)


def _input_of(program: ExportedProgram) -> tuple[int | None, tuple[int | str, ...] | None]:
    """Batch size of the program's input, None if it is dynamic; and its further axes, None if they are not recorded."""
    names = program.graph_signature.user_inputs
    for node in program.graph.nodes:
        if names and node.name == names[0]:
            value = node.meta.get("val")
            if isinstance(value, torch.Tensor) and value.ndim:
                sizes = [size if isinstance(size, int) else str(size) for size in value.shape]
                return sizes[0] if isinstance(sizes[0], int) else None, tuple(sizes[1:])
    return None, None


class _Replay(fx.Interpreter):
    """Runs the program on a traced tensor, and tells its tracer module path and source line of each node."""

    def __init__(self, module: nn.Module, x: TracedTensor) -> None:
        super().__init__(module, garbage_collect_values=False)
        self.extra_traceback = False  # findings name the line themselves
        self.tracer = x.tracer

    def run_node(self, n: fx.Node) -> Any:
        outer = self.tracer.module_path, self.tracer.written_at
        if n.op == "call_function":
            self.tracer.module_path, self.tracer.written_at = _module_path(n), _written_at(n)
        result = super().run_node(n)
        self.tracer.module_path, self.tracer.written_at = outer  # not after an exception: it tells where
        return result


def _module_path(n: fx.Node) -> str:
    """Path of the module that the node came from, '' at the top: "L['self'].layer1.0" is layer1.0."""
    stack = list(n.meta.get("nn_module_stack", {}).values())
    text = str(stack[-1][0]) if stack and isinstance(stack[-1], tuple) else ""
    while nested := re.fullmatch(r"getattr\((.*), '([^']*)'\)(.*)", text):
        text = ".".join(nested.groups()[:2]) + nested.group(3)
    return re.sub(r"^L\['\w+'\]\.?", "", text)


def _written_at(n: fx.Node) -> str:
    """The innermost line of the user's code in the stack that the exporter kept."""
    frames = re.findall(r'File "([^"]+)", line (\d+)', n.meta.get("stack_trace") or "")
    users = [(file, int(line)) for file, line in frames if is_user_file(file)]
    return shown_line(*users[-1]) if users else ""


def rejoin_linear(graph: fx.Graph) -> None:
    """Replace every view → mm or addmm → view by a linear layer on all axes, in place.

    The exporter takes apart `nn.Linear` on (N, A, F) into view (N·A, F) → addmm → view (N, A, O). The first view mixes
    batch and axes, though nothing reads it but the product.
    """
    for node in list(graph.nodes):
        if node.op != "call_function" or node.target not in (_ATEN.mm.default, _ATEN.addmm.default):
            continue
        bias, flat, matrix = (None, *node.args) if node.target == _ATEN.mm.default else node.args
        if not isinstance(flat, fx.Node) or flat.target not in _VIEWS:
            continue
        x = flat.args[0]
        before, merged, after = _shape(x), _shape(flat), _shape(node)
        if before is None or merged is None or after is None or len(before) < 3:
            continue
        if merged != (prod(before[:-1]), before[-1]):
            continue
        for user in list(node.users):
            if user.target in _VIEWS and _shape(user) == (*before[:-1], after[-1]):
                with graph.inserting_before(user):
                    weight = graph.call_function(_ATEN.t.default, (matrix,))
                    joined = graph.call_function(torch.nn.functional.linear, (x, weight, bias))
                joined.meta = dict(node.meta)
                user.replace_all_uses_with(joined)
    graph.eliminate_dead_code()


def _shape(node: Any) -> tuple[int, ...] | None:
    """Sizes that the exporter noted, None where one of them is not fixed."""
    value = node.meta.get("val") if isinstance(node, fx.Node) else None
    if not isinstance(value, torch.Tensor) or not all(isinstance(size, int) for size in value.shape):
        return None
    return tuple(value.shape)
