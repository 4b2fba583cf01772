"""Run a model in eval mode and leave it as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn


@contextmanager
def preserved(model: nn.Module) -> Iterator[None]:
    """Context in which the model is in eval mode without gradients; afterwards every submodule is as before.

    It restores training flags, attributes that `forward` sets or extends (caches, counters), hooks, weights and
    buffers, and the random state. Some models change their weights in every forward (a max-norm constraint) without
    increasing torch's count of changes, so weights are compared with a copy.
    """
    modules = list(model.modules())
    flags = [module.training for module in modules]
    attributes = [_snapshot(module) for module in modules]
    tensors = [(t, t.data, t.detach().clone()) for t in (*model.parameters(), *model.buffers())]
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]), plain_attention():
            for module in modules:
                module.training = False
            yield
    finally:
        with torch.no_grad():
            for tensor, data, values in tensors:
                if tensor.data_ptr() != data.data_ptr():
                    tensor.data = data
                if not torch.equal(tensor, values):
                    tensor.copy_(values)
        for module, snapshot, flag in zip(modules, attributes, flags, strict=True):
            _restore(module, snapshot)
            module.training = flag


@contextmanager
def plain_attention() -> Iterator[None]:
    """Context in which torch's transformer layers call the operations that they consist of.

    Their fused kernel, where torch takes it, gives zeros at tokens of padding in place of the values of the operations.
    """
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def _snapshot(module: nn.Module) -> dict[str, tuple[Any, Any]] | None:
    """Attributes, and copies of those that are containers; None for TorchScript, whose attributes are not in Python."""
    if isinstance(module, torch.jit.ScriptModule):
        return None
    return {name: (value, _entries(value)) for name, value in module.__dict__.items()}


def _entries(value: Any) -> Any:
    return value.copy() if isinstance(value, (dict, list, set)) else None


def _restore(module: nn.Module, snapshot: dict[str, tuple[Any, Any]] | None) -> None:
    if snapshot is None:
        return
    for name in module.__dict__.keys() - snapshot.keys():
        del module.__dict__[name]
    for name, (value, entries) in snapshot.items():
        module.__dict__[name] = value
        if isinstance(value, list):
            value[:] = entries
        elif isinstance(value, (dict, set)) and not _same_entries(value, entries):
            value.clear()
            value.update(entries)


def _same_entries(value: dict[Any, Any] | set[Any], entries: dict[Any, Any] | set[Any]) -> bool:
    if isinstance(value, dict) and isinstance(entries, dict):
        return value.keys() == entries.keys() and all(value[key] is entries[key] for key in entries)
    return value == entries
