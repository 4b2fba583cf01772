"""The logarithmic quantizer of the float executor: from pre-activations, in units of their thresholds, to levels."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.core.maps import Shape
from loihi_onespike.executors.float.quantize_kernel import to_levels
from loihi_onespike.executors.float.threshold_lookup import ThresholdLookup
from loihi_onespike.executors.threads import over_rows


class Quantizer:
    """y = z / threshold → level(w) of the first word w with y + bias ≥ table[w-1], 0 for none.

    Signed codes give -level(w) for the first w with -(y + bias) ≥ negative[w-1] where no positive word is reached;
    with far thresholds it must be at most far[w-1] too. Without payload a word is a phase.

    Args:
        table, negative: (L,) factors of the threshold, see `core.graphs.stage.StagePlan`.
        levels: (L,) levels of the code.
        bias: bias in units of the threshold, broadcastable to `shape`.
        shape: shape of one sample.
        far: (L,) factors of the far thresholds of negative spikes; None where there are none.
        one_sided: neurons that send no negative spike, broadcastable to `shape`; None where all may.
    """

    def __init__(
        self,
        table: NDArray[np.float64],
        negative: NDArray[np.float64] | None,
        levels: NDArray[np.float64],
        bias: NDArray[np.float64],
        shape: Shape,
        far: NDArray[np.float64] | None = None,
        one_sided: NDArray[np.bool_] | None = None,
    ) -> None:
        self._table, self._negative, self._levels, self._far = table, negative, levels, far
        self._bias, self._shape, self._one_sided = bias, shape, one_sided
        self._lookup = ThresholdLookup.of(table, negative, levels, far)
        self._laid_out: dict[bool, NDArray[np.float32]] = {}

    def __call__(self, y: torch.Tensor) -> torch.Tensor:
        """Levels (B, *shape) of y, which does not contain the bias; a float32 tensor on the CPU is overwritten."""
        if self._lookup is None or y.dtype != torch.float32 or y.device.type != "cpu":
            return self._level_of(self.words(y + torch.from_numpy(self._bias).to(y.device, y.dtype)), y.dtype)
        y = dense_layout(y)
        values, channels_last = by_place(y)
        if channels_last not in self._laid_out:
            self._laid_out[channels_last] = parameters_by_place(self._bias, self._shape, channels_last)
        c = self._lookup
        over_rows(
            to_levels, len(values), values.numpy(), self._laid_out[channels_last], c.cut, c.level,
            np.uint64(c.first), np.uint64(c.shift), c.low, c.high, np.uint64(c.cells), c.signed,
        )  # fmt: skip
        if self._one_sided is not None:
            torch.maximum(y, torch.from_numpy(np.where(self._one_sided, 0.0, -np.inf)).to(y.dtype), out=y)
        return y

    def words(self, y: torch.Tensor) -> torch.Tensor:
        """Code words of y, which contains the bias: w, -w for a negative spike, 0 for none; int32."""
        return first_word(y, self._table, self._negative, self._far, self._one_sided)

    def _level_of(self, words: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        levels = torch.from_numpy(np.concatenate([[0.0], self._levels])).to(words.device, dtype)
        return torch.sign(words) * levels[words.abs().long()]


def dense_layout(y: torch.Tensor) -> torch.Tensor:
    """The tensor itself where its memory is in one of the two orders of `by_place`, else a contiguous copy."""
    return y if _is_channels_last(y) or y.is_contiguous() else y.contiguous()


def by_place(y: torch.Tensor) -> tuple[torch.Tensor, bool]:
    """The memory of y (B, *shape) as (B, places, channels), and whether it holds the first axis of the shape last."""
    if _is_channels_last(y):
        return y.permute(0, *range(2, y.dim()), 1).reshape(len(y), -1, y.shape[1]), True
    return y.reshape(len(y), prod(y.shape[1:-1]), y.shape[-1]), False


def parameters_by_place(values: NDArray[Any], shape: Shape, channels_last: bool) -> NDArray[np.float32]:
    """Parameters broadcastable to the shape as (places or 1, channels) float32, in the order of `by_place`.

    Args:
        values: the parameters.
        shape: shape of the population.
        channels_last: whether channels are the last axis in memory.
    """
    aligned = values.reshape((1,) * (len(shape) - values.ndim) + values.shape)
    axis = 0 if channels_last else len(shape) - 1
    others = aligned.shape[:axis] + aligned.shape[axis + 1 :]
    one = prod(others) == 1
    target = tuple(n if not one or i == axis else 1 for i, n in enumerate(shape))
    full = np.moveaxis(np.broadcast_to(aligned, target), axis, -1)
    # Adding zero turns a negative zero into a positive one, so that no sum is a negative zero.
    return np.ascontiguousarray(full.reshape(-1, shape[axis]), np.float32) + np.float32(0)


def first_word(
    z: torch.Tensor,
    table: NDArray[np.float64],
    negative: NDArray[np.float64] | None,
    far: NDArray[np.float64] | None = None,
    one_sided: NDArray[np.bool_] | None = None,
) -> torch.Tensor:
    """First word w with z ≥ table[w-1], or -w with far[w-1] ≥ -z ≥ negative[w-1]; 0 for none. int32.

    Args:
        z: values in units of the threshold.
        table: positive thresholds (L,).
        negative: negative thresholds (L,), None for an unsigned population.
        far: far thresholds of the negative side (L,), None where it has no end.
        one_sided: neurons that send no negative spike, broadcastable to z; None where all may.
    """
    word = _reached(z, table)
    if negative is None:
        return word
    below = _reached(-z, negative) if far is None else _between(-z, negative, far)
    if one_sided is not None:
        below.masked_fill_(torch.tensor(one_sided, device=below.device), 0)
    return torch.where(word > 0, word, -below)


def _between(z: torch.Tensor, near: NDArray[np.float64], far: NDArray[np.float64]) -> torch.Tensor:
    """First word w with far[w-1] ≥ z ≥ near[w-1], 0 for none. Words in a row, since short waits keep no order."""
    word = torch.zeros(z.shape, dtype=torch.int32, device=z.device)
    for w in range(len(near), 0, -1):
        word.masked_fill_((z >= float(near[w - 1])) & (z <= float(far[w - 1])), w)
    return word


def _reached(z: torch.Tensor, table: NDArray[np.float64]) -> torch.Tensor:
    rising = torch.from_numpy(table[::-1].copy()).to(z.device, z.dtype)
    reached = torch.bucketize(z.contiguous(), rising, right=True, out_int32=True)
    return torch.where(reached == 0, torch.zeros_like(reached), len(table) + 1 - reached)


def _is_channels_last(y: torch.Tensor) -> bool:
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    return y.dim() in formats and y.is_contiguous(memory_format=formats[y.dim()])
