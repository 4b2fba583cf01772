"""`load_model`: a trained module in eval mode by the name that the command line gives."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import nn

from loihi_onespike.errors import ModelLoadError
from loihi_onespike.frontend import as_module
from loihi_onespike.models.source import from_file, from_module, from_torchvision
from loihi_onespike.models.weights import load_weights

SUPPORTED = "digits, digits-vit, file.py:callable, package.module:callable, torchvision:name, file.onnx or file.pt2"


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A module in eval mode with notes for the user.

    Attributes:
        model: the module.
        notes: a line per note, such as that the weights were taken out of a checkpoint, or that none were given.
    """

    model: nn.Module
    notes: tuple[str, ...] = ()


def load_model(spec: str, weights: str | Path | None = None) -> LoadedModel:
    """A model by name, with its weights.

    Args:
        spec: "digits" (the demo's network), "digits-vit" (a vision transformer for the same images),
            "file.py:callable", "package.module:callable" or "torchvision:name". The
            callable is a function without arguments that returns the module, a module class, or the module itself.
            The file is run like any program, so it must be trusted. Or the path of an .onnx file or of a program
            saved by torch.export (.pt2), which contain their weights; nothing in them is run.
        weights: safetensors file, or a state_dict saved by torch.save (loaded with weights_only=True); every key must
            match. Without it the weights are those that the callable gives the module.

    Raises:
        ModelLoadError: the model or its weights are missing, damaged or do not match.
    """
    if spec.endswith((".onnx", ".pt2")):
        if weights is not None:
            raise ModelLoadError(f"{spec}: contains its weights, but others were given; leave out --weights")
        return LoadedModel(as_module(Path(spec).expanduser()))
    if spec == "digits":
        from loihi_onespike.models.digits_cnn import DigitsCNN, load_digits_cnn

        model: nn.Module = load_digits_cnn() if weights is None else DigitsCNN()
        notes: tuple[str, ...] = ()
    elif spec == "digits-vit":
        from loihi_onespike.models.digits_vit import DigitsViT, load_digits_vit

        model, notes = load_digits_vit() if weights is None else DigitsViT(), ()
    else:
        source, colon, name = spec.rpartition(":")
        if not colon or not source or not name:
            raise ModelLoadError(f"model: must be {SUPPORTED}; got {spec!r}")
        if source == "torchvision":
            model = from_torchvision(name)
            notes = (f"{spec}: no weights given, so they are random; give a file with --weights",)
        else:
            is_file = source.endswith(".py") or "/" in source
            model = from_file(Path(source).expanduser(), name) if is_file else from_module(source, name)
            notes = (f"{spec}: no weights given; used as {name} returned it",)
    if weights is not None:
        notes = load_weights(model, Path(weights).expanduser())
    return LoadedModel(model.eval(), notes)
