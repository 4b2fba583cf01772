"""Final states of recurrent layers, with the samples first.

torch stacks the final states of all layers and directions in front of the samples, (layers, N, H). A traced tensor has
its samples first, so they are traced as a sequence of (N, H), which is indexed in the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn


class LayerStates(tuple):  # type: ignore[type-arg]
    """States (N, H) of every layer and direction, in torch's order: `h[-1]`, `h[0]`, `h.squeeze(0)`, `h.unbind(0)`."""

    _fields = ()  # trees keep the class of what has fields

    def __new__(cls, *states: Any) -> LayerStates:
        return super().__new__(cls, states)

    def squeeze(self, dim: int = 0) -> Any:
        """The state of the only layer."""
        return self[0] if len(self) == 1 and dim == 0 else self

    def unbind(self, dim: int = 0) -> tuple[Any, ...]:
        """The states one after the other."""
        return tuple(self)


def with_layer_states(layer: nn.RNNBase, forward: Callable[..., Any]) -> Callable[..., Any]:
    """The forward of a recurrent layer with `LayerStates` in place of stacked states.

    Args:
        layer: the layer.
        forward: its forward.
    """

    def states(stacked: torch.Tensor) -> LayerStates:
        return LayerStates(*stacked.unbind(0))

    def run(*args: Any, **kwargs: Any) -> Any:
        output, last = forward(*args, **kwargs)
        return output, tuple(states(s) for s in last) if isinstance(last, tuple) else states(last)

    return run
