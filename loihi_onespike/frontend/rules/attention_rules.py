"""Attention: softmax(q kᵀ / √d + mask) v, as a function of torch and as a layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import sqrt
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from loihi_onespike.frontend.rules.elementwise_rules import add_constant, affine, sum_of
from loihi_onespike.frontend.rules.linear_rules import fully_connected
from loihi_onespike.frontend.rules.matrix_product_rules import matrix_product, places
from loihi_onespike.frontend.rules.softmax_rules import softmax
from loihi_onespike.frontend.tracing.batch_axis import IN_FRONT
from loihi_onespike.frontend.tracing.builder import Value
from loihi_onespike.frontend.tracing.gather import reshaped
from loihi_onespike.frontend.tracing.moved_batch import refused
from loihi_onespike.frontend.tracing.registry import module_rule, rule, takes_moved_batch
from loihi_onespike.frontend.tracing.site import Site

Mask: TypeAlias = NDArray[np.float64] | Value
"""Numbers that are added to scores: constants, minus infinity among them, or an activation."""


def attention(site: Site, q: Value, k: Value, v: Value, masks: Sequence[Mask], factor: float, part: str = "") -> Value:
    """softmax(factor · q kᵀ + Σ masks) v.

    Args:
        site: operation that is lowered.
        q, k, v: queries (…, L, d), keys (…, S, d) and values (…, S, e).
        masks: added to the products, constants or activations, broadcastable to (…, L, S).
        factor: of the products.
        part: name of the node of the result.
    """
    rank = len(k.shape)
    turned = np.swapaxes(places(k.shape), rank - 2, rank - 1)
    scores = matrix_product(site, q, site.reindex(k, turned, "keys"), "scores")
    scores = affine(site, scores, factor, 0, "scaled")
    for mask in masks:
        scores = sum_of(site, scores, mask, "masked") if isinstance(mask, Value) else add_constant(site, scores, mask)
    operation, site.operation = site.operation, "softmax"
    weights = softmax(site, scores, len(scores.shape))
    site.operation = operation
    return matrix_product(site, weights, v, part)


@rule("scaled_dot_product_attention")
def scaled_dot_product_attention(
    site: Site,
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Value:
    """y = softmax(q kᵀ / √d + mask) v of activations, with a constant mask, a causal one, or none."""
    if dropout_p:
        site.refuse("dropout", f"{site.display} with dropout_p={dropout_p:g} in eval mode")
    q, k, v = (site.activation(x) for x in (query, key, value))
    if enable_gqa:
        k, v = (_repeated_heads(site, x, q.shape[-3] // x.shape[-3]) for x in (k, v))
    masks: list[Mask] = []
    if isinstance(attn_mask, torch.Tensor):
        masks = [site.constant(_additive(attn_mask, kept=True), (*q.shape[:-1], k.shape[-2]))]
    elif attn_mask is not None:
        masks = [attn_mask]
    if is_causal:
        masks = [np.where(np.tri(q.shape[-2], k.shape[-2], dtype=bool), 0.0, -np.inf)]
    return attention(site, q, k, v, masks, 1 / sqrt(q.shape[-1]) if scale is None else scale)


def _repeated_heads(site: Site, x: Value, times: int) -> Value:
    return site.reindex(x, np.repeat(places(x.shape), times, axis=-3), "heads") if times > 1 else x


def _additive(mask: torch.Tensor, kept: bool) -> torch.Tensor:
    """A mask as numbers to add; where it holds truth values, those equal to `kept` let pass."""
    return torch.zeros(mask.shape).masked_fill(mask != kept, -torch.inf) if mask.dtype == torch.bool else mask


@rule("aten._scaled_dot_product_flash_attention_for_cpu")
def flash_attention(
    site: Site,
    query: Any,
    key: Any,
    value: Any,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    attn_mask: Any = None,
    scale: float | None = None,
) -> tuple[Value, Value]:
    """The result, and the logarithm of the sums, which nothing but a gradient reads."""
    result = scaled_dot_product_attention(site, query, key, value, attn_mask, dropout_p, is_causal, scale)
    sums = site.concrete_args[0].shape[1:3]
    return result, site.unavailable(tuple(sums), "unknown", "logarithms of the sums of attention")


@takes_moved_batch
@module_rule(nn.MultiheadAttention)
def multihead_attention(
    site: Site,
    module: nn.MultiheadAttention,
    query: Any,
    key: Any,
    value: Any,
    key_padding_mask: Any = None,
    need_weights: bool = True,
    attn_mask: Any = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Value, Value | None]:
    """The attended values; the weights are not computed, and a model that reads them is refused."""
    if module.bias_k is not None or module.add_zero_attn:
        site.refuse("added_keys", f"{site.display} with add_bias_kv or add_zero_attn")
    given = [site.activation(x) for x in (query, key, value)]
    batch = given[0].batch
    wanted = 0 if module.batch_first else 1
    if any(x.batch != batch for x in given) or (batch.axis, batch.folded) != (wanted, 1):
        moved = next((x for x in given if not x.batch.in_front), None)
        if moved is not None and module.batch_first:
            raise refused(moved)
        site.refuse("sequence_first", f"{site.display} over axis 0, which is the batch")
    samples = [replace(site.activation(replace(x, batch=IN_FRONT), 2), batch=IN_FRONT) for x in given]
    q, k, v = _projected(site, module, samples)
    heads, length, source = module.num_heads, q.shape[0], k.shape[0]
    q, k, v = (_by_heads(site, x, heads) for x in (q, k, v))
    masks = [
        *_head_masks(site, attn_mask, heads, (length, source)),
        *_padding_masks(site, key_padding_mask, source),
    ]
    y = attention(site, q, k, v, masks, 1 / sqrt(q.shape[-1]), "heads")
    joined = np.moveaxis(places(y.shape), 0, 1).reshape(length, -1)
    result = fully_connected(site, site.reindex(y, joined, "joined"), module.out_proj.weight, module.out_proj.bias)
    result = replace(result, batch=batch)
    if not need_weights:
        return result, None
    shape = (length, source) if average_attn_weights else (heads, length, source)
    return result, site.unavailable(shape, "attention_weights", "the weights of attention")


def _projected(site: Site, module: nn.MultiheadAttention, inputs: list[Value]) -> list[Value]:
    """Queries, keys and values of a layer, (L, E) each; one linear layer where they have one input."""
    bias: Any = module.in_proj_bias
    common: Any = module.in_proj_weight  # None where keys or values have features of another number
    if common is None:
        weights = (module.q_proj_weight, module.k_proj_weight, module.v_proj_weight)
    elif len(set(inputs)) == 1:
        whole = fully_connected(site, inputs[0], common, bias, part="qkv")
        each = np.split(places(whole.shape), 3, axis=1)
        return [site.reindex(whole, index, name) for index, name in zip(each, "qkv", strict=True)]
    else:
        weights = common.chunk(3)
    biases = (None,) * 3 if bias is None else bias.chunk(3)
    return [fully_connected(site, x, w, b, part=n) for x, w, b, n in zip(inputs, weights, biases, "qkv", strict=True)]


def _by_heads(site: Site, x: Value, heads: int) -> Value:
    """(L, E) as (heads, L, E / heads)."""
    split = places(x.shape).reshape(x.shape[0], heads, -1)
    return site.reindex(x, np.moveaxis(split, 1, 0), "heads")


def _head_masks(site: Site, mask: Any, heads: int, shape: tuple[int, int]) -> list[Mask]:
    """Constant mask of a layer, (L, S) or (N · heads, L, S), as numbers to add; a true value of it keeps nothing.

    Args:
        site: operation that is lowered.
        mask: the mask, None for none.
        heads: number of heads.
        shape: (L, S).
    """
    if mask is None:
        return []
    if isinstance(mask, Value):
        site.refuse("computed_mask", f"{site.display} with an attn_mask that depends on the input")
    numbers = _additive(mask, kept=False)
    if numbers.ndim == 3:
        numbers = numbers.reshape(-1, heads, *shape)
    return [site.constant(numbers, (heads, *shape))]


def _padding_masks(site: Site, mask: Any, source: int) -> list[Mask]:
    """Mask of keys, (N, S), as numbers to add to the scores of all heads and queries: an input, or one for all samples.

    Args:
        site: operation that is lowered.
        mask: the mask, None for none.
        source: S.
    """
    if mask is None:
        return []
    if isinstance(mask, Value):
        if not mask.batch.in_front:
            raise refused(mask)
        return [reshaped(site, site.activation(mask, 1), (1, 1, source), "padding")]
    return [site.constant(_additive(mask, kept=False), (source,))]
