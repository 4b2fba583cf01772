"""torch.fx tracing on an example: every traced tensor has a value.

Each operation is executed on the example when it is recorded, and is lowered by its rule. Sizes, types and devices are
therefore plain Python values, and `forward` may compute with shapes and branch on them. Weights, buffers and everything
computed from them alone are plain tensors, so constant parts of the model are simply executed. In-place operations
change the tensor in place, and all traced tensors that share its memory then refer to the new node of the graph.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from loihi_onespike.core.graphs.ann import Input
from loihi_onespike.errors import Finding
from loihi_onespike.frontend.tracing import support
from loihi_onespike.frontend.tracing.builder import GraphBuilder, Value
from loihi_onespike.frontend.tracing.joined_inputs import JoinedInputs
from loihi_onespike.frontend.tracing.operation_lowering import display, lower
from loihi_onespike.frontend.tracing.registry import find_module_rule, operation_name
from loihi_onespike.frontend.tracing.site import Refusal, Site
from loihi_onespike.frontend.tracing.source_lines import user_line
from loihi_onespike.frontend.tracing.traced_tensor import (
    CallRecorder,
    DataDependent,
    TracedTensor,
    is_constant,
    same_view,
    version,
)
from loihi_onespike.frontend.tracing.trees import leaves, tree_map

_SHAPE_ONLY = {
    *("size", "dim", "ndimension", "numel", "nelement", "stride", "storage_offset", "element_size", "get_device"),
    *("is_contiguous", "is_floating_point", "is_complex", "is_tensor"),
    *("sym_size", "sym_stride", "sym_numel"),
    *("zeros_like", "ones_like", "full_like", "new_zeros", "new_ones", "new_full", "new_tensor"),
}
"""Operations whose result depends on shape, type or device of a tensor, never on its values."""
_SHAPE_OF_SECOND = {"expand_as", "view_as", "reshape_as", "type_as"}
"""Operations that take no more than the shape or type of their second tensor."""


OF_PARTS = (
    *(nn.Sequential, nn.Transformer, nn.TransformerEncoder, nn.TransformerEncoderLayer),
    *(nn.TransformerDecoder, nn.TransformerDecoderLayer),
)
"""Modules of torch.nn whose forward is read, since it only calls other modules and functions."""
_FUNCTIONS_OF_PARTS = {
    "torchvision.models.swin_transformer.shifted_window_attention",
    "torchvision.models.swin_transformer._patch_merging_pad",
}
"""Functions that torch.fx takes for one operation, and that are read."""


class Root(nn.Module):
    """Parent of the user's model, so that the model itself is called like any other module."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Any) -> Any:
        return self.model(x)


class ExampleTracer(CallRecorder):
    """Traces one model on one example.

    Attributes:
        builder: the graph under construction.
        output: result of `forward`, with a TracedTensor for each traced tensor.
    """

    def __init__(self, model: nn.Module, example: torch.Tensor) -> None:
        super().__init__()
        self.builder = GraphBuilder()
        self.output: Any = None
        self._model, self._example = model, example
        inner = model.model if isinstance(model, JoinedInputs) else model
        self._paths = {module: path for path, module in inner.named_modules()}
        self.module_path = ""
        self.written_at = ""
        self._live: list[weakref.ref[TracedTensor]] = []
        self._native = 0  # > 0 while an operation runs on tensors: nothing is traced then

    def run(self) -> None:
        """Trace; `output` and `builder` hold the result."""
        self.trace(Root(self._model))

    # What torch.fx calls

    def create_args_for_root(self, root_fn: Any, is_module: bool, concrete_args: Any = None) -> Any:
        shape = tuple(self._example.shape[1:])
        value = self.builder.add("input", Input(), [], shape, "")
        return root_fn, [self.root, self._activation(self._example, value)]

    def create_arg(self, a: Any) -> Any:
        self.output = a
        return ()

    def create_node(self, *args: Any, **kwargs: Any) -> Any:
        return None  # the fx graph stays empty

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        """Weights and buffers as plain tensors, so that results that depend on them alone are constants."""
        return attr_val

    def path_of_module(self, mod: nn.Module) -> str:
        """Path of a module below the model; for modules that `forward` creates, the current path and the class."""
        path = self._paths.get(mod)
        return self._join(type(mod).__name__.lower()) if path is None else path

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Whether a module is one call: modules with a rule, and those of torch.nn, which are refused by name."""
        if find_module_rule(m) is not None:
            return True
        if isinstance(m, OF_PARTS):
            return False
        return type(m).__module__.startswith(("torch.nn.", "torch.ao.nn."))

    def call_module(self, m: nn.Module, forward: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        if self._native or isinstance(m, Root):
            return forward(*args, **kwargs)
        path = self.path_of_module(m)
        traced = any(isinstance(leaf, TracedTensor) for leaf in leaves((args, kwargs)))
        if traced and self.is_leaf_module(m, path):
            return self._record(m, type(m).__name__, path or type(m).__name__.lower(), forward, args, kwargs)
        outer, self.module_path = self.module_path, path
        result = forward(*args, **kwargs)
        self.module_path = outer  # not after an exception: the scope then tells where it happened
        return result

    def create_proxy(
        self, kind: str, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any], *_: Any, **__: Any
    ) -> Any:
        if kind == "call_method":
            return self.call_method(target, *args, **kwargs)
        name = operation_name(target)
        if name in _FUNCTIONS_OF_PARTS:
            return target(*args, **kwargs)
        return self._record(None, name, self._join(name.split(".")[-1]), target, args, kwargs)

    # Recording

    def call_method(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Record a tensor method."""
        name = operation_name(method)

        def run(tensor: Any, *rest: Any, **options: Any) -> Any:
            return getattr(tensor, method)(*rest, **options)

        return self._record(None, name, self._join(name), run, args, kwargs)

    def read_attribute(self, tensor: TracedTensor, attribute: str) -> Any:
        """Record a tensor attribute such as `x.T`."""
        # x.data would hide in-place changes from the version counter of x; detach means the same and does not.
        run = torch.Tensor.detach if attribute == "data" else lambda t: getattr(t, attribute)
        return self._record(None, attribute, self._join(attribute), run, (tensor,), {})

    def _join(self, name: str) -> str:
        return f"{self.module_path}.{name}" if self.module_path else name

    @contextmanager
    def _natively(self) -> Iterator[None]:
        self._native += 1
        try:
            # Outside inference mode, whose tensors do not count their in-place changes.
            with torch.inference_mode(False), torch.no_grad():
                yield
        finally:
            self._native -= 1

    def _record(
        self, module: nn.Module | None, operation: str, name: str, run: Callable[..., Any], args: Any, kwargs: Any
    ) -> Any:
        """Lower one operation and execute it; the result has a TracedTensor for every tensor in it."""
        source = self.written_at or user_line(Root.forward.__code__)
        kwargs = {_TORCH_NAMES.get(key, key) if module is None else key: value for key, value in kwargs.items()}
        concrete_args, concrete_kwargs = tree_map(_concrete, (args, kwargs))
        with self._natively():
            compares_none = operation in ("eq", "ne") and any(a is None for a in args)
            like = operation in _SHAPE_OF_SECOND and is_constant(args[0])
            if operation in _SHAPE_ONLY or like or compares_none:
                return run(*concrete_args, **concrete_kwargs)
            symbolic_args, symbolic_kwargs = tree_map(_symbolic, (args, kwargs))
            site = Site(
                builder=self.builder,
                name=name,
                operation=operation,
                display=display(module, operation),
                source=source,
                run=run,
                args=symbolic_args,
                kwargs=symbolic_kwargs,
                concrete_args=concrete_args,
                concrete_kwargs=concrete_kwargs,
                batch=len(self._example),
                device=self._example.device,
            )
            constants = [leaf for leaf in leaves((args, kwargs)) if is_constant(leaf)]
            versions = [version(tensor) for tensor in constants]
            lowered = self.lower(site, module)
            result = run(*concrete_args, **concrete_kwargs)
        if [version(tensor) for tensor in constants] != versions:
            self._refuse_hard(site, "setitem", f"{site.display} that writes an activation into a constant tensor")
        output = self._wrap(site, result, lowered)
        self._follow_changes(site, output)
        return output

    def lower(self, site: Site, module: nn.Module | None) -> Any:
        """Nodes of one call, by its rule in the registry; the tracer of graph networks applies its own rules first."""
        return lower(site, module)

    def _wrap(self, site: Site, result: Any, lowered: Any) -> Any:
        """The result with a TracedTensor for every tensor; those of a refused call refer to placeholders."""
        tensors = [leaf for leaf in leaves(result) if isinstance(leaf, torch.Tensor)]
        if not isinstance(lowered, Refusal):
            values = [leaf for leaf in leaves(lowered) if isinstance(leaf, Value)]
            # Pooled graphs are fewer than the nodes, so that the batch in front is not compared.
            shapes = [tuple(t.shape) for t in tensors]
            expected = [
                (*t.shape[:1], *v.shape) if v.batch.in_front else v.batch.tensor_shape(v.shape, site.batch)
                for t, v in zip(tensors, values, strict=False)
            ]
            if expected == shapes and len(values) == len(tensors):
                pairs = iter(zip(tensors, values, strict=True))
                return tree_map(
                    lambda leaf: self._activation(*next(pairs)) if isinstance(leaf, torch.Tensor) else leaf, result
                )
            found = f"{site.display}, of shapes {shapes} in torch but {expected} by its rule"
            lowered = Refusal(found, support.UNKNOWN, consequence=True)
        known = lowered.consequence and self.builder.is_tainted(site.values)
        finding = None if known else lowered.finding(site.name, site.source)
        if not tensors and result is not None:
            nodes = tuple(value.node for value in site.values)
            raise DataDependent("reads_values", f"{site.display} of an activation", nodes)

        def hold(leaf: Any) -> Any:
            if not isinstance(leaf, torch.Tensor):
                return leaf
            shape = tuple(leaf.shape[1:])
            return self._activation(leaf, self.builder.add_refused(site.name, site.values, shape, site.source, finding))

        return tree_map(hold, result)

    def _refuse_hard(self, site: Site, topic: str, found: str) -> None:
        self.builder.hard_findings.append(Finding(site.name, found, site.source, *support.advice_for(topic).texts))

    def _activation(self, tensor: torch.Tensor, value: Value) -> TracedTensor:
        activation = TracedTensor(self, tensor, value)
        self._live.append(weakref.ref(activation))
        return activation

    def _follow_changes(self, site: Site, output: Any) -> None:
        """After an in-place operation, update the node of every traced tensor that shares the changed memory."""
        live = [activation for ref in self._live if (activation := ref()) is not None]
        self._live = [weakref.ref(activation) for activation in live]
        for activation in live:
            if version(activation.tensor) == activation.version:
                continue
            activation.version = version(activation.tensor)
            if isinstance(output, TracedTensor) and same_view(activation.tensor, output.tensor):
                activation.value = output.value
                continue
            # Changed through a view, or by an operation without a result: no node computes the new value.
            topic = "setitem" if site.operation == "setitem" else "inplace_view"
            found = f"{site.display}, which changes {activation.value.node} in place"
            finding = Refusal(found, support.advice_for(topic)).finding(site.name, site.source)
            shape, inputs = activation.value.shape, [activation.value, *site.values]
            activation.value = self.builder.add_refused(site.name, inputs, shape, site.source, finding)


_TORCH_NAMES = {"axis": "dim", "keepdims": "keepdim", "x": "input"}
"""numpy's names of arguments, which torch takes too."""


def _concrete(leaf: Any) -> Any:
    return leaf.tensor if isinstance(leaf, TracedTensor) else leaf


def _symbolic(leaf: Any) -> Any:
    return leaf.value if isinstance(leaf, TracedTensor) else leaf
