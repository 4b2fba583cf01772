"""One call in the traced model, as a rule receives it, and the operations with which the rule lowers it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.core.graphs.ann import AnnOp
from loihi_onespike.core.maps import Array, Shape
from loihi_onespike.errors import Finding
from loihi_onespike.frontend.tracing import support
from loihi_onespike.frontend.tracing.builder import GraphBuilder, Value
from loihi_onespike.frontend.tracing.trees import leaves, tree_map


class Refusal(Exception):
    """Raised by a rule for a call that has no one-spike form.

    Attributes:
        found: the call with the settings that matter.
        advice: supported alternative and remedy.
        consequence: the refusal may be the consequence of an earlier one; it is then not reported.
        where: line of the user's code that is the reason, where it is another than that of the call; empty otherwise.
    """

    def __init__(self, found: str, advice: support.Advice, consequence: bool = False, where: str = "") -> None:
        super().__init__(found)
        self.found, self.advice, self.consequence, self.where = found, advice, consequence, where

    def finding(self, node: str, where: str) -> Finding:
        """The refusal as a finding at a node and a line of the user's code."""
        return Finding(node, self.found, self.where or where, *self.advice.texts)


def _apart_in_memory(tensor: torch.Tensor) -> bool:
    """Whether every entry of a tensor has memory of its own, unlike those of expanded and unfolded ones."""
    reach = 1
    for stride, size in sorted(zip(tensor.stride(), tensor.shape, strict=True)):
        if size > 1 and stride < reach:
            return False
        reach += (size - 1) * stride
    return True


@dataclass
class Site:
    """A call that depends on the input.

    Attributes:
        builder: the graph under construction.
        name: name of the node the call becomes (module path, or scope and function name).
        operation: key in the registry and in the support table.
        display: the operation as messages show it.
        source: source line of the user's code.
        run: executes the operation on tensors.
        args, kwargs: arguments with a Value for every tensor that depends on the input.
        concrete_args, concrete_kwargs: the same with tensors.
        batch: number of samples in the tensors.
        device: where the tensors are.
    """

    builder: GraphBuilder
    name: str
    operation: str
    display: str
    source: str
    run: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    concrete_args: tuple[Any, ...]
    concrete_kwargs: dict[str, Any]
    batch: int
    device: torch.device
    values: list[Value] = field(init=False)

    def __post_init__(self) -> None:
        self.values = [leaf for leaf in leaves((self.args, self.kwargs)) if isinstance(leaf, Value)]

    def emit(self, op: AnnOp, inputs: Sequence[Value], shape: Shape, part: str = "") -> Value:
        """Add a node; `part` tells the nodes of one call apart, the one that gives the result has none.

        Args:
            op: operation.
            inputs: values that it reads.
            shape: shape of the result without the batch.
            part: name of the node within the call.
        """
        return self.builder.add(self._part(part), op, inputs, shape, self.source)

    def reindex(self, value: Value, index: NDArray[np.integer], part: str = "") -> Value:
        """Add a gather: y[i] = x.ravel()[index[i]], 0 where index is -1.

        Args:
            value: value that is gathered.
            index: index into the flat value, -1 for zero.
            part: name of the node within the call.
        """
        return self.builder.add_reindex(self._part(part), value, index, self.source)

    def note(self, value: Value, text: str) -> Value:
        """Tell the user that the call became `text`, an exact rewrite whose result is `value`; returns the value."""
        self.builder.add_note(value, f"{self.name}: {self.display} computed as {text}")
        return value

    def _part(self, part: str) -> str:
        return f"{self.name}.{part}" if part else self.name

    def unavailable(self, shape: Shape, topic: str, found: str) -> Value:
        """A placeholder for a further result that has no one-spike form, reported if the output depends on it.

        Args:
            shape: shape of the result without the batch.
            topic: topic of the support table.
            found: what the result is.
        """
        finding = Refusal(f"{self.display}: {found}", support.advice_for(topic)).finding(self.name, self.source)
        return self.builder.add_refused(f"{self.name}.unused", self.values, shape, self.source, finding)

    def refuse(self, topic: str, found: str = "", consequence: bool = False) -> NoReturn:
        """Raise the Refusal of the call, with the advice of the support table on a topic.

        Args:
            topic: topic of the support table.
            found: what was found; by default the call.
            consequence: whether the refusal only follows from another one.
        """
        raise Refusal(found or self.display, support.advice_for(topic), consequence)

    def rerun(self, tensor: torch.Tensor) -> Any:
        """Execute the call with `tensor` for its first activation, and the traced tensors for everything else.

        The tensor gets the order in memory of the activation, on which it depends whether it can be viewed.
        """
        symbolic = leaves((self.args, self.kwargs))
        given = leaves((self.concrete_args, self.concrete_kwargs))
        first = next(leaf for value, leaf in zip(symbolic, given, strict=True) if isinstance(value, Value))
        if tensor.shape == first.shape and _apart_in_memory(first):
            ordered = torch.empty_strided(first.shape, first.stride(), dtype=tensor.dtype, device=tensor.device)
            tensor = ordered.copy_(tensor)
        pending = [tensor]

        def substitute(symbolic: Any, concrete: Any) -> Any:
            return pending.pop() if isinstance(symbolic, Value) and pending else concrete

        concrete = iter(list(leaves((self.concrete_args, self.concrete_kwargs))))
        args, kwargs = tree_map(lambda leaf: substitute(leaf, next(concrete)), (self.args, self.kwargs))
        return self.run(*args, **kwargs)

    def activation(self, x: Any, rank: int | None = None) -> Value:
        """`x`, which must depend on the input; with `rank`, the number of axes one sample must have."""
        if not isinstance(x, Value):
            self.refuse("computed_weights", f"{self.display} with weights that depend on the input")
        if rank is not None and len(x.shape) != rank:
            self.refuse("no_batch", f"{self.display} on samples of shape {x.shape}", consequence=True)
        return x

    def weight(self, tensor: Any) -> Array:
        """A copy of constant weights in their own precision (float32 for narrower ones)."""
        if not isinstance(tensor, torch.Tensor):
            self.refuse("computed_weights", f"{self.display} with weights that depend on the input")
        wide = tensor.detach().to("cpu", torch.float64 if tensor.dtype == torch.float64 else torch.float32)
        if not bool(torch.isfinite(wide).all()):
            self.refuse("not_finite", f"{self.display} with NaN or infinity in a tensor of shape {tuple(tensor.shape)}")
        return np.array(wide.numpy(), copy=True)

    def vector(self, tensor: Any, trailing_axes: int = 0) -> NDArray[np.float64]:
        """Constant vector in float64, shaped (n, 1, …) to run along the axis before `trailing_axes` others."""
        return self.weight(tensor).astype(np.float64).reshape(-1, *(1,) * trailing_axes)

    def bias(self, tensor: Any, shape: Shape, trailing_axes: int = 0) -> NDArray[np.float64]:
        """A constant that is added to the sums of a linear map: float64, -inf included (see `silent_channels`).

        Args:
            tensor: number or tensor that broadcasts with the sums.
            shape: shape of one sample, as `constant` takes it.
            trailing_axes: axes of the sums behind the one that the constant runs along.
        """
        if isinstance(tensor, Value):
            self.refuse("computed_weights", f"{self.display} with a bias that depends on the input")
        array = self.constant(tensor, shape)
        if not (array < np.inf).all():
            self.refuse("not_finite", f"{self.display} with NaN or infinity in a tensor of shape {array.shape}")
        return array.reshape(-1, *(1,) * trailing_axes) if trailing_axes else array

    def constant(self, x: Any, shape: Shape) -> NDArray[np.float64]:
        """A number or constant tensor for one sample: float64, broadcastable with `shape`.

        A tensor that differs between samples is refused.

        Args:
            x: number or tensor.
            shape: shape of one sample.
        """
        if not isinstance(x, torch.Tensor):
            return np.array(x, dtype=np.float64)
        array = x.detach().to("cpu", torch.float64).numpy()
        if array.ndim <= len(shape):
            return array.copy()
        if array.ndim > len(shape) + 1 or not (array == array[:1]).all():
            found = f"{self.display} with a constant of shape {tuple(x.shape)} that differs between samples"
            self.refuse("batch_mixed", found, consequence=True)
        return array[0].copy()
