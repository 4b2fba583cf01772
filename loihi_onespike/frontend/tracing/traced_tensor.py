"""A traced tensor: its value on the example, and the node of the graph that computes it."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any, NoReturn

import torch
from torch import fx

from loihi_onespike.frontend.tracing.builder import Value


class DataDependent(fx.proxy.TraceError):
    """Raised where Python asks for the values of an activation.

    Attributes:
        topic: key of the support table.
        nodes: nodes of these activations.
    """

    def __init__(self, topic: str, found: str, nodes: tuple[str, ...]) -> None:
        super().__init__(found)
        self.topic, self.nodes = topic, nodes


class CallRecorder(fx.Tracer):
    """Interface of a traced tensor to its tracer, which is always an `ExampleTracer`.

    Attributes:
        module_path: path of the module whose forward ran last.
        written_at: source line of the node of an exported program that is replayed; '' while a forward runs.
    """

    module_path: str
    written_at: str

    def call_method(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Record the tensor method of this name.

        Args:
            method: name of the method.
            args, kwargs: its arguments, the tensor first.
        """
        raise NotImplementedError

    def read_attribute(self, tensor: TracedTensor, attribute: str) -> Any:
        """Record a tensor attribute such as `x.T`."""
        raise NotImplementedError


class TracedTensor(fx.Proxy):
    """A tensor that depends on the input, while `forward` runs.

    Attributes:
        tensor: its value on the example.
        value: the node of the graph that computes it.
        version: torch's count of in-place changes of `tensor` for which `value` is right.
    """

    tracer: CallRecorder

    def __init__(self, tracer: CallRecorder, tensor: torch.Tensor, value: Value) -> None:
        super().__init__(SimpleNamespace(name=value.node, meta={}), tracer)
        self.tensor, self.value, self.version = tensor, value, version(tensor)

    def __repr__(self) -> str:
        return f"TracedTensor({self.value.node}, {tuple(self.tensor.shape)})"

    def __getattr__(self, name: str) -> Any:
        """Methods are recorded when called; shape, type and device are those of the example."""
        attribute = getattr(torch.Tensor, name)
        if callable(attribute):
            return partial(self.tracer.call_method, name, self)
        found = getattr(self.tensor, name)
        return self.tracer.read_attribute(self, name) if isinstance(found, torch.Tensor) else found

    def __len__(self) -> int:
        return len(self.tensor)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.tracer.call_method("unbind", self, 0))

    def __bool__(self) -> bool:
        self._refuse("control_flow", "control flow that depends on the values of an activation")

    def __int__(self) -> int:
        self._refuse("reads_values", "int() of an activation")

    def __index__(self) -> int:
        self._refuse("reads_values", "an activation used as an index")

    def __float__(self) -> float:
        self._refuse("reads_values", "float() of an activation")

    def __array__(self, *_: Any) -> Any:
        self._refuse("reads_values", "an activation turned into a numpy array")

    def __contains__(self, item: Any) -> bool:
        self._refuse("control_flow", "a membership test on the values of an activation")

    def _refuse(self, topic: str, found: str) -> NoReturn:
        raise DataDependent(topic, found, (self.value.node,))

    def __setitem__(self, key: Any, item: Any) -> None:
        self.tracer.create_proxy("call_function", operator.setitem, (self, key, item), {})

    def __iadd__(self, other: Any) -> Any:
        return self.tracer.create_proxy("call_function", operator.iadd, (self, other), {})

    def __isub__(self, other: Any) -> Any:
        return self.tracer.create_proxy("call_function", operator.isub, (self, other), {})

    def __imul__(self, other: Any) -> Any:
        return self.tracer.create_proxy("call_function", operator.imul, (self, other), {})

    def __itruediv__(self, other: Any) -> Any:
        return self.tracer.create_proxy("call_function", operator.itruediv, (self, other), {})

    def __ipow__(self, other: Any) -> Any:
        return self.tracer.create_proxy("call_function", operator.ipow, (self, other), {})


def is_constant(leaf: Any) -> bool:
    """Whether a leaf is a tensor that does not depend on the input."""
    return isinstance(leaf, torch.Tensor) and not isinstance(leaf, TracedTensor)


def version(tensor: torch.Tensor) -> int:
    """torch's count of in-place changes, shared by all views of one storage."""
    return 0 if tensor.is_inference() else tensor._version


def same_view(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Whether both are the same entries of the same storage in the same order."""
    return a.data_ptr() == b.data_ptr() and a.shape == b.shape and a.stride() == b.stride()
