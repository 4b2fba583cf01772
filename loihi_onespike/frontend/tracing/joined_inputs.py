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
        by_name: the model takes them by name, not in their order.
    """

    def __init__(self, model: nn.Module, parts: InputParts, by_name: bool = True) -> None:
        super().__init__()
        self.model, self.parts, self.by_name = model, parts, by_name

    def _get_name(self) -> str:
        return self.model._get_name()

    def forward(self, x: Any) -> Any:
        """What the model returns for its inputs, taken out of x."""
        parts = zip(self.parts.slices, self.parts.shapes, strict=True)
        given = [x[:, place].reshape(-1, *shape) for place, shape in parts]
        return self.model(**dict(zip(self.parts.names, given, strict=True))) if self.by_name else self.model(*given)
