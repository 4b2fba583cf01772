"""The shape of one input of a model, as far as its first layer or its file tells it."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from loihi_onespike.frontend.importers.batched_module import BatchedModule

_CONVOLUTIONS = {nn.Conv1d: 1, nn.Conv2d: 2, nn.Conv3d: 3, nn.ConvTranspose1d: 1, nn.ConvTranspose2d: 2}
_NORMS = {nn.BatchNorm1d: None, nn.BatchNorm2d: 2, nn.BatchNorm3d: 3}
_AXES = {1: ("L",), 2: ("H", "W"), 3: ("D", "H", "W")}


@dataclass(frozen=True)
class InputShape:
    """What is known of the shape of a batch of inputs.

    Attributes:
        sizes: the axes after that of the samples: numbers, or letters where the model takes any size.
        known_from: what told it, such as "its layer conv1".
    """

    sizes: tuple[int | str, ...]
    known_from: str

    def __str__(self) -> str:
        return f"({', '.join(map(str, ('N', *self.sizes)))})"


def input_shape(model: nn.Module) -> InputShape | None:
    """The shape that a model takes, None where it cannot be told.

    A module does not record the order in which its layers run: the first layer with weights that it defines is taken
    for the one that reads the input.
    """
    if isinstance(model, BatchedModule) and model.input_sizes is not None:
        return InputShape(model.input_sizes, "its file")
    for name, layer in model.named_modules():
        found = _of_layer(layer)
        if found is not None:
            return InputShape(found, f"its first layer {name}" if name else "the layer itself")
        if next(layer.parameters(recurse=False), None) is not None:
            return None  # a layer of another kind comes first
    return None


def _of_layer(layer: nn.Module) -> tuple[int | str, ...] | None:
    for kind, rank in _CONVOLUTIONS.items():
        if isinstance(layer, kind):
            return (layer.in_channels, *_AXES[rank])
    for norm, axes in _NORMS.items():
        if isinstance(layer, norm):
            return (layer.num_features, *(_AXES[axes] if axes else ("…",)))
    return ("…", layer.in_features) if isinstance(layer, nn.Linear) else None
