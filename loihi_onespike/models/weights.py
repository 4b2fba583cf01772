"""Loading of weights from a file into a module; every key must match."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from loihi_onespike.errors import ModelLoadError
from loihi_onespike.frontend.importers.tensor_archive import UnsafeArchiveError, load_tensors
from loihi_onespike.regular_files import budget, check_readable

WRAPPERS = ("state_dict", "model_state_dict", "model_state", "model", "net", "module", "ema_state_dict")
"""Keys under which training scripts keep the state_dict in a checkpoint; the first that exists is used."""
PREFIXES = ("module.", "_orig_mod.", "model.", "net.")
"""Prefixes that DataParallel, torch.compile and training frameworks put before every key."""
MAX_WRAPPERS = 8
"""Checkpoints within checkpoints that are unwrapped; a file may hold one that contains itself."""
SHOWN = 8
"""Number of keys of each kind that an error lists."""


def load_weights(model: nn.Module, path: Path) -> tuple[str, ...]:
    """Load every weight of a module from a file.

    Args:
        model: module that gets the weights.
        path: safetensors file, or a state_dict or checkpoint of torch.save.

    Returns:
        Notes about what was unwrapped.

    Raises:
        ModelLoadError: the file cannot be read, or keys are missing, unexpected or of another shape.
    """
    state, notes = _unwrapped(path, _read(path))
    wanted = model.state_dict()
    state, stripped = _without_prefix(state, wanted)
    # The count of training batches is missing in older files, and a model in eval mode does not use it.
    state = {k: v for k, v in wanted.items() if k.endswith("num_batches_tracked")} | state
    _check(path, state, wanted)
    model.load_state_dict(state)
    return notes + tuple(f"{path.name}: prefix {prefix!r} removed from every key" for prefix in stripped)


def _read(path: Path) -> object:
    check_readable(path, ModelLoadError, "no such weights file")
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        try:
            return load_file(path)
        except Exception as error:  # of safetensors, or of torch for a type that it does not have
            raise ModelLoadError(f"{path}: not a readable safetensors file ({_first_line(error)})") from error
    _check_size(path)
    try:
        return load_tensors(path)
    except UnsafeArchiveError as error:
        raise ModelLoadError(
            f"{path}: {error}; only tensors are loaded, since a pickled "
            "object can run any program; where you trust it, load it and save torch.save(model.state_dict(), path) "
            "or a safetensors file"
        ) from error
    except Exception as error:  # a damaged pickle makes almost any of them
        raise ModelLoadError(f"{path}: not a file that torch.save wrote, or damaged ({_first_line(error)})") from error


def _first_line(error: Exception) -> str:
    return ascii(str(error).strip().splitlines()[0])[1:-1][:200] if str(error).strip() else type(error).__name__


def _check_size(path: Path) -> None:
    """Compare the sizes that an archive of torch.save declares with its own; torch does not compress what it saves."""
    size = path.stat().st_size
    try:
        with zipfile.ZipFile(path) as archive:
            declared = sum(info.file_size for info in archive.infolist())
    except (zipfile.BadZipFile, ValueError, EOFError, RuntimeError, NotImplementedError, OSError):
        return  # an older form, without an archive, or damaged, which torch.load says
    if declared > budget(size):
        raise ModelLoadError(
            f"{path}: requires {declared} bytes, limit {budget(size)} for a file of {size} bytes; "
            "save it again with torch.save"
        )


def _unwrapped(path: Path, loaded: object) -> tuple[dict[str, torch.Tensor], tuple[str, ...]]:
    """The state_dict inside a checkpoint."""
    notes: list[str] = []
    while isinstance(loaded, Mapping) and not _is_state(loaded) and len(notes) < MAX_WRAPPERS:
        key = next((k for k in WRAPPERS if isinstance(loaded.get(k), Mapping)), None)
        if key is None:
            break
        notes.append(f"{path.name}: weights taken from {key!r} of a checkpoint")
        loaded = loaded[key]
    if not isinstance(loaded, Mapping) or not _is_state(loaded):
        found = (
            f"a dict with the keys {ascii(list(loaded)[:SHOWN])[:500]}"
            if isinstance(loaded, Mapping)
            else type(loaded).__name__
        )
        raise ModelLoadError(f"{path}: must be a state_dict, or a checkpoint with it as 'state_dict', got {found}")
    return dict(loaded), tuple(notes)


def _is_state(value: Mapping[object, object]) -> bool:
    return bool(value) and all(isinstance(k, str) and isinstance(v, torch.Tensor) for k, v in value.items())


def _without_prefix(
    state: dict[str, torch.Tensor], wanted: Mapping[str, torch.Tensor]
) -> tuple[dict[str, torch.Tensor], list[str]]:
    """Remove prefixes as long as all keys have one that the keys of the model do not have."""
    stripped: list[str] = []
    while state:
        prefix = next((p for p in PREFIXES if all(k.startswith(p) for k in state)), None)
        if prefix is None or all(k.startswith(prefix) for k in wanted):
            break
        state = {k.removeprefix(prefix): v for k, v in state.items()}
        stripped.append(prefix)
    return state, stripped


def _unlike_weights(tensor: torch.Tensor) -> str:
    """What a tensor is that cannot be the weights of a layer; empty when it can."""
    if tensor.is_meta:
        return "a meta tensor, which has no values"
    if tensor.is_quantized:
        return "a quantized one"
    if tensor.layout != torch.strided or tensor.is_nested:
        return f"the layout {tensor.layout}"
    return "complex numbers" if tensor.is_complex() else ""


def _check(path: Path, state: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Tensor]) -> None:
    for name, tensor in state.items():
        if found := _unlike_weights(tensor):
            raise ModelLoadError(f"{path}: {ascii(name)[1:-1]}: must be a dense tensor of real numbers, got {found}")
    missing = [k for k in wanted if k not in state]
    unexpected = [k for k in state if k not in wanted]
    shapes = [
        f"{k} (file {tuple(state[k].shape)}, model {tuple(v.shape)})"
        for k, v in wanted.items()
        if k in state and state[k].shape != v.shape
    ]
    problems = [
        f"{kind} {len(keys)}: {ascii(', '.join(keys[:SHOWN]))[1:-1][:2000]}{', …' if len(keys) > SHOWN else ''}"
        for kind, keys in (("missing", missing), ("unexpected", unexpected), ("of another shape", shapes))
        if keys
    ]
    if problems:
        listed = "\n  ".join(problems)
        raise ModelLoadError(
            f"{path}: the weights do not fit the model\n  {listed}\n  give the file that belongs to the model"
        )
