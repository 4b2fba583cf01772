"""Rules for tensors whose batch is not in front: they are applied to the samples, and the batch is put back.

A rule takes (N, *sample). Where the batch is elsewhere, axes are counted anew and constants are brought to the form
that they have for one sample. `MOVED` says of each operation how.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import torch

from loihi_onespike.frontend.tracing.batch_axis import IN_FRONT, BatchAxis
from loihi_onespike.frontend.tracing.builder import Value
from loihi_onespike.frontend.tracing.site import Refusal, Site
from loihi_onespike.frontend.tracing.support import Advice
from loihi_onespike.frontend.tracing.trees import leaves, tree_map


@dataclass(frozen=True)
class Moves:
    """What an operation does with the axes of its tensors.

    Attributes:
        broadcasts: constants are broadcast with the activations; otherwise they are weights.
        last: number of axes at the end on which it works, where the batch cannot be.
        axes: whether its argument `dim` names axes.
        reduces: whether these axes vanish, unless `keepdim` is set.
    """

    broadcasts: bool = False
    last: int = 0
    axes: bool = False
    reduces: bool = False


ITSELF = Moves(last=-1)
"""Of operations that move values: they are executed on the whole tensor."""
MOVED: dict[str, Moves] = {}


def moves(names: Iterable[str], how: Moves) -> None:
    """Say of operations what they do with the axes of their tensors."""
    MOVED.update(dict.fromkeys(names, how))


def apply_rule(site: Site, name: str, rule: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The result of a rule, applied to the samples where the batch is not in front.

    Args:
        site: operation that is lowered.
        name: key of the operation.
        rule: its rule.
        args, kwargs: arguments of the rule behind the site.

    Raises:
        Refusal: the operation needs the batch in front, or works along it.
    """
    moved = [leaf for leaf in leaves((args, kwargs)) if isinstance(leaf, Value) and not leaf.batch.in_front]
    how = MOVED.get(_last_axis_only(name, args))
    if not moved or how is ITSELF:
        return rule(site, *args, **kwargs)
    value = moved[0]
    if how is None:
        raise refused(value)
    bound = inspect.signature(rule).bind(site, *args, **kwargs)
    rank = len(value.batch.tensor_shape(value.shape, site.batch))
    if value.batch.axis >= rank - how.last:
        raise refused(value)
    result_batch = value.batch
    if how.axes:
        bound.arguments["dim"], result_batch = _axes(site, bound, value, rank, how.reduces)
    for key, argument in list(bound.arguments.items()):
        if key not in ("site", "dim"):
            bound.arguments[key] = tree_map(lambda leaf: _in_front(site, leaf, value, rank, how), argument)
    result = rule(*bound.args, **bound.kwargs)
    return tree_map(lambda leaf: replace(leaf, batch=result_batch) if isinstance(leaf, Value) else leaf, result)


def _last_axis_only(name: str, args: tuple[Any, ...]) -> str:
    """`linear` for a product with a constant matrix on the right, for which all axes but the last are alike."""
    constant = name == "matmul" and len(args) > 1 and isinstance(args[1], torch.Tensor) and args[1].ndim == 2
    return "linear" if constant else name


def refused(value: Value) -> Refusal:
    """The refusal of an operation that needs the batch in front, at the operation that moved it."""
    finding = value.batch.finding
    assert finding is not None, "a moved batch says what moved it"
    return Refusal(finding.found, Advice(finding.supported, finding.remedy), consequence=True, where=finding.where)


def _axes(site: Site, bound: inspect.BoundArguments, value: Value, rank: int, reduces: bool) -> tuple[Any, BatchAxis]:
    """Argument `dim` for the samples, and where the batch is in the result."""
    dim = bound.arguments.get("dim")
    dims = dim if isinstance(dim, (tuple, list)) else (dim,)
    if not all(isinstance(d, int) for d in dims):
        raise refused(value)
    axes = [value.batch.sample_axis(d, rank) for d in dims]
    if None in axes:
        site.refuse("batch_mixed", f"{site.display} over the batch axis", consequence=True)
    counted = [axis + 1 for axis in axes if axis is not None]
    batch = value.batch
    if reduces and not bound.arguments.get("keepdim", False):
        batch = replace(batch, axis=batch.axis - sum(d % rank < batch.axis for d in dims))
        batch = IN_FRONT if batch.in_front else batch
    return (counted if isinstance(dim, (tuple, list)) else counted[0]), batch


def _in_front(site: Site, leaf: Any, value: Value, rank: int, how: Moves) -> Any:
    """An argument for the samples: values with the batch in front, constants of one sample."""
    if isinstance(leaf, Value):
        same = leaf.batch == value.batch and len(leaf.batch.tensor_shape(leaf.shape, site.batch)) == rank
        if not same:
            raise refused(value)
        return replace(leaf, batch=IN_FRONT)
    if not how.broadcasts or not isinstance(leaf, torch.Tensor) or leaf.ndim < rank - value.batch.axis:
        return leaf
    full = leaf.reshape(*(1,) * (rank - leaf.ndim), *leaf.shape)
    if full.shape[value.batch.axis] == 1:
        return full if value.batch.folded > 1 else full.squeeze(value.batch.axis)
    samples = value.batch.to_front(full, site.batch)
    if not bool((samples == samples[:1]).all()):
        found = f"{site.display} with a constant of shape {tuple(leaf.shape)} that differs between samples"
        site.refuse("batch_mixed", found, consequence=True)
    return samples[0]
