"""The linear part of a stage in torch: the sum over its links, with all factors folded into the weights.

    y = Σ_links behind · scale · op(gather(in_front · x_pre)) + bias

The float executor passes plain levels from stage to stage: `in_front` is then λ of the presynaptic stage, and `behind`
one over the threshold of the stage itself, so that y comes out in units of its own threshold. A map takes what it can
of both factors into its weights (`LinearMap.folded`):

    behind · op(in_front · x) = rest_behind · op'(rest_in_front · x)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from loihi_onespike.core.graphs.stage import Link, OutputStage, Stage
from loihi_onespike.core.maps import LinearMap, Shape
from loihi_onespike.core.maps.pool import as_pool
from loihi_onespike.core.maps.shapes import aligned
from loihi_onespike.executors.tensors.sample_map import SampleMap
from loihi_onespike.executors.tensors.tensor_maps import TensorMap, max_over_window, tensor_map

Factor = NDArray[np.float64]
Values = Mapping[str, Any]
"""Values of the stages so far, (B, *shape) tensors, or one sparse sample of the input."""

CHANNELS_LAST = {4: torch.channels_last, 5: torch.channels_last_3d}


class StageSum:
    """y of a stage without its bias; for max pooling the maximum over the window, for a product that of both sums.

    Args:
        stage: a stage with its links.
        shapes: of the stages in `in_front`.
        in_front: λ per presynaptic stage, 1 for those that are left out; broadcastable to its shape.
        behind: broadcastable to the stage's shape.
        source: name of the input, which may be a sparse sample.
        dtype: type of the sums.
        device: device of the sums.
    """

    def __init__(
        self,
        stage: Stage | OutputStage,
        shapes: Mapping[str, Shape],
        in_front: Mapping[str, Factor],
        behind: Factor,
        source: str,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        self._dtype, self._device = dtype, device
        self._factors: list[tuple[StageSum, torch.Tensor]] = []
        factors: tuple[Stage | OutputStage, ...] = stage.sums if stage.is_product else ()
        for i, each in enumerate(factors):
            unit = behind if i == 0 else np.ones(())
            of_factor = StageSum(each, shapes, in_front, unit, source, dtype, device)
            self._factors.append((of_factor, self._tensor(np.asarray(each.bias * unit))))
        self._terms: list[tuple[str, Callable[[Any], torch.Tensor]]] = []
        self._diagonals: list[tuple[str, torch.Tensor]] = []
        for link in () if stage.is_product else stage.links:
            factor = np.ones((1,) * len(stage.shape))
            if link.pre in in_front:
                factor = gathered(in_front[link.pre], shapes[link.pre], link.index)
            if stage.kind == "max_pool":
                self._terms.append((link.pre, self._pool(stage, link, factor, behind)))
                continue
            op, rest, after = link.op.folded(factor, aligned(np.multiply(link.scale, behind), stage.shape))
            plain = rest is None and after is None and link.index is None
            if plain and op.elementwise and link.pre != source:
                self._diagonals.append((link.pre, self._tensor(op.weight)))
                continue
            apply = _scaled(
                memory_gather(link.index, self._device),
                None if rest is None else self._tensor(rest),
                self._map(op),
                None if after is None else self._tensor(after),
            )
            if link.pre == source and plain:
                apply = SampleMap(apply, op, link.index, dtype, device)
            elif link.pre == source:
                apply = _densified(apply, dtype, device)
            self._terms.append((link.pre, apply))

    def __call__(self, values: Values) -> torch.Tensor:
        """A tensor (B, *shape) of its own, which may be overwritten."""
        if self._factors:
            u, w = (of_factor(values) + bias for of_factor, bias in self._factors)
            return u * w
        total: torch.Tensor | None = None
        for pre, apply in self._terms:
            part = apply(values[pre])
            total = part if total is None else total.add_(part)
        for pre, weight in self._diagonals:
            total = values[pre] * weight if total is None else total.addcmul_(values[pre], weight)
        assert total is not None
        return total

    def _tensor(self, values: NDArray[np.floating]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(self._device, self._dtype)

    def _map(self, op: LinearMap) -> TensorMap:
        return tensor_map(op, None, self._dtype, self._device, channels_last=True)

    def _pool(
        self, stage: Stage | OutputStage, link: Link, factor: Factor, behind: Factor
    ) -> Callable[[Any], torch.Tensor]:
        """Maximum of factor · x over the window, times `behind`. Positive factors per channel pass through it."""
        pool = max_over_window(as_pool(link.op, stage.name).window, stage.shape)
        both = aligned(behind, stage.shape)
        front: Factor | None = factor
        if factor.size == factor.shape[0]:
            both, front = both * factor, None
        # λ of a pooled channel is that of the pool, up to the last bit
        after = None if np.allclose(both, 1, rtol=1e-12, atol=0) else self._tensor(both)
        gather = memory_gather(link.index, self._device)
        return _scaled(gather, None if front is None else self._tensor(front), pool, after)


def _scaled(
    gather: TensorMap | None, front: torch.Tensor | None, apply: TensorMap, after: torch.Tensor | None
) -> TensorMap:
    def scaled(x: torch.Tensor) -> torch.Tensor:
        x = x if gather is None else gather(x)
        y = apply(x if front is None else x * front)
        return y if after is None else y.mul_(after)

    return scaled


def _densified(apply: TensorMap, dtype: torch.dtype, device: torch.device) -> Callable[[Any], torch.Tensor]:
    """The map for a sparse sample too, which it turns into a dense array."""

    def densified(x: Any) -> torch.Tensor:
        if not isinstance(x, torch.Tensor):
            x = torch.from_numpy(x.dense("a factor in front of a sparse input")).to(device, dtype)
        return apply(x)

    return densified


def memory_gather(index: NDArray[np.integer] | None, device: torch.device) -> TensorMap | None:
    """Function (B, *shape) → (B, *index.shape): x.ravel()[index], 0 where the index is -1.

    Feature maps are read and written in the memory order of their channels-last format.
    """
    if index is None:
        return None
    last_out = index.ndim + 1 in CHANNELS_LAST
    wanted = np.ascontiguousarray(np.moveaxis(index, 0, -1) if last_out else index)
    padded, out = bool((index < 0).any()), wanted.shape
    positions: dict[Shape, torch.Tensor] = {}

    def gather(x: torch.Tensor) -> torch.Tensor:
        shape, last_in = tuple(x.shape[1:]), x.dim() in CHANNELS_LAST
        if shape not in positions:
            positions[shape] = torch.from_numpy(_positions(shape, last_in)[wanted].ravel()).to(device)
        memory = x.permute(0, *range(2, x.dim()), 1) if last_in else x
        rows = memory.reshape(len(x), -1)
        rows = F.pad(rows, (0, 1)) if padded else rows
        y = torch.index_select(rows, 1, positions[shape]).reshape(len(x), *out)
        if not last_out:
            return y
        if out[-1] == 1 or prod(out[:-1]) == 1:  # plain strides, see `event_layer.from_memory`
            return y.reshape(len(x), *index.shape)
        return y.permute(0, y.dim() - 1, *range(1, y.dim() - 1))

    return gather


def _positions(shape: Shape, channels_last: bool) -> NDArray[np.int64]:
    """Place in memory of every value of a sample, and behind them that of the zero that an index of -1 reads."""
    count = prod(shape)
    places = np.arange(count).reshape(shape)
    position = np.empty(count + 1, np.int64)
    position[(np.moveaxis(places, 0, -1) if channels_last else places).ravel()] = np.arange(count)
    position[-1] = count
    return position


def gathered(factor: Factor, shape: Shape, index: NDArray[np.integer] | None) -> Factor:
    """The factor of a population of `shape` as a map behind the gather `index` sees it, as `aligned` gives it.

    Places that are not filled carry no value; they take the factor of a filled place along the last axes, so that
    padding does not spoil a factor that is constant there.

    Args:
        factor: broadcastable to `shape`.
        shape: shape of the population.
        index: the gather, None for none.
    """
    if index is None:
        return aligned(factor, shape)
    full = np.broadcast_to(factor, shape).ravel()[index]
    empty = index < 0
    if empty.any():
        rows, filled = full.reshape(len(full), -1), ~empty.reshape(len(full), -1)
        anything = full[~empty].flat[0] if not empty.all() else 1.0
        first = np.where(filled.any(axis=1), rows[np.arange(len(rows)), filled.argmax(axis=1)], anything)
        full = np.where(empty.reshape(rows.shape), first[:, None], rows).reshape(full.shape)
    return aligned(full, index.shape)
