"""Lowering of one call to nodes of the graph, by its rule in the registry."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import nn

from loihi_onespike.frontend.tracing.moved_batch import apply_rule, refused
from loihi_onespike.frontend.tracing.registry import MOVES_BATCH, OPERATIONS, find_module_rule
from loihi_onespike.frontend.tracing.site import Refusal, Site
from loihi_onespike.frontend.tracing.trees import leaves, tree_map


def lower(site: Site, module: nn.Module | None) -> Any:
    """Values in the structure of the call's result, or the Refusal by the rule or for want of a rule."""
    rule = OPERATIONS.get(site.operation) if module is None else find_module_rule(module)
    leading = (site,) if module is None else (site, module)
    try:
        if rule is None:
            site.refuse(site.operation)
        _refuse_hooks(site, module)
        try:
            inspect.signature(rule).bind(*leading, *site.args, **site.kwargs)
        except TypeError as error:
            site.refuse("unknown", f"{site.display} called in an unusual way ({error})")
        if module is None:
            return apply_rule(site, site.operation, rule, *site.args, **site.kwargs)
        for value in site.values:
            if not value.batch.in_front and not getattr(rule, MOVES_BATCH, False):
                raise refused(value)
        return rule(site, module, *site.args, **site.kwargs)
    except Refusal as refusal:
        return refusal


def display(module: nn.Module | None, operation: str) -> str:
    """Text of a call in messages, such as `LeakyReLU(negative_slope=0.01)` or `leaky_relu`."""
    if module is None:
        return operation
    text = repr(module)
    return text if len(text) <= 100 and "\n" not in text else type(module).__name__


def _refuse_hooks(site: Site, module: nn.Module | None) -> None:
    """Refuse a module whose hooks change its result, since rules describe its forward only."""
    if module is None or not (module._forward_hooks or module._forward_pre_hooks):
        return
    arguments = (site.concrete_args, site.concrete_kwargs)

    def fresh() -> Any:
        return tree_map(lambda a: a.clone() if isinstance(a, torch.Tensor) else a, arguments)

    args, kwargs = fresh()
    hooked = site.run(*args, **kwargs)
    args, kwargs = fresh()
    plain = module.forward(*args, **kwargs)
    if not all(torch.equal(a, b) for a, b in zip(leaves(hooked), leaves(plain), strict=False)):
        site.refuse("hook", f"{site.display} with a hook that changes its values")
