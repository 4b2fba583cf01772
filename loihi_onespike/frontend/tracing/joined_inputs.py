"""Models with several inputs as modules with one: the inputs side by side, flat, and taken apart again."""

from __future__ import annotations

from typing import Any

from torch import nn

from loihi_onespike.core.graphs.input_parts import InputParts


class JoinedInputs(nn.Module):
    """A model that takes its inputs side by side, (N, values of all).

    Attributes:
        model: the model itself.
        parts: names and shapes of its inputs.
    """

    def __init__(self, model: nn.Module, parts: InputParts) -> None:
        super().__init__()
        self.model, self.parts = model, parts

    def _get_name(self) -> str:
        return self.model._get_name()

    def forward(self, x: Any) -> Any:
        """What the model returns for its inputs, taken out of x."""
        named = zip(self.parts.names, self.parts.slices, self.parts.shapes, strict=True)
        return self.model(**{name: x[:, place].reshape(-1, *shape) for name, place, shape in named})
