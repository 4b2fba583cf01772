"""Inputs and outputs of the rows of weights of a stage, at random places of the calibration data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from math import frexp
from typing import Any, TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from loihi_onespike.core.graphs.stage import Link, OutputStage, Stage
from loihi_onespike.core.maps import Conv, Dense, LinearMap
from loihi_onespike.core.maps.registry import MapRegistry
from loihi_onespike.executors.tensors.tensor_maps import tensor_gather
from loihi_onespike.executors.threads import over_shares

Float = NDArray[np.float64]

LEAST_PLACES = 8192
"""Fewest places that are sampled, as far as the data have so many."""
PLACES_PER_WEIGHT = 4
"""Places that are sampled per weight of a row, if this is more than LEAST_PLACES."""
MOST_WEIGHTS = 6144
"""Largest number of weights per row; beyond it their covariance needs too much memory."""
ROWS_AT_ONCE = 128
"""Rows of a product that one thread computes at a time; a number that does not depend on that of the threads."""


def row_inputs_of(
    stage: Stage | OutputStage, values: Mapping[str, torch.Tensor], seed: int = 0
) -> dict[int, RowInputs]:
    """Inputs of the rows of weights, by number of the link, for all links whose map has an entry in `ROWS`.

    Args:
        stage: a stage with its links.
        values: values (N, *shape) of the stages that it reads, in the units of the ANN, by name; links that read
        another
            stage are left out.
        seed: seed of the choice of places.
    """
    found = {}
    for i, link in enumerate(stage.links):
        if link.pre in values and ROWS.find(link.op) is not None:
            size = link.op.fan_in
            if 2 <= size <= MOST_WEIGHTS:
                most = max(LEAST_PLACES, PLACES_PER_WEIGHT * size)
                found[i] = RowInputs.of(link, values[link.pre], most, seed)
    return found


@dataclass(frozen=True, eq=False)
class RowInputs:
    """Inputs of the rows of weights of one link, in groups of rows that have the same inputs.

    Attributes:
        op: the map.
        inputs: (S, groups, d) inputs of a row at S places of the output.
        sample: (S,) number of the sample of each place; for a dense map all leading axes count as samples.
        at: one (S,) index per spatial axis of the output; empty for dense maps.
    """

    op: LinearMap
    inputs: torch.Tensor
    sample: NDArray[np.int64]
    at: tuple[NDArray[np.int64], ...]

    @classmethod
    def of(cls, link: Link, values: torch.Tensor, most: int, seed: int) -> RowInputs:
        """Rows of a link at random places of its output.

        Args:
            link: a link whose map has an entry in `ROWS`.
            values: (N, *shape) values of the presynaptic population.
            most: largest number of places.
            seed: seed of their choice.
        """
        if link.index is not None:
            values = tensor_gather(link.index, values.device)(values)
        return ROWS[link.op](link.op, values, partial(_chosen, most, seed))

    @property
    def groups(self) -> int:
        """Number of groups of rows that read the same inputs."""
        return int(self.inputs.shape[1])

    @cached_property
    def halves(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Whether a place belongs to the even samples, and whether to the odd ones, (S,) boolean each."""
        odd = torch.from_numpy(self.sample % 2 == 1)
        return ~odd, odd

    @cached_property
    def moments(self) -> tuple[Float, Float]:
        """Σ x xᵀ over each half, with x relative to its mean: (groups, d, d) each."""
        first, second = (_centred(self.inputs[half]) for half in self.halves)
        return _product(first, first), _product(second, second)

    @property
    def covariance(self) -> Float:
        """Covariance of the inputs, (groups, d, d)."""
        first, second = self.moments
        return (first + second) / len(self.inputs)

    def products(self, outputs: torch.Tensor) -> tuple[Float, Float]:
        """Σ x yᵀ over each half, relative to the means, with outputs y (S, groups, rows): (groups, d, rows) each."""
        first, second = (_product(_centred(self.inputs[half]), _centred(outputs[half])) for half in self.halves)
        return first, second

    def outputs(self, values: torch.Tensor) -> torch.Tensor:
        """Values (N, *shape) of the stage at the places, (S, groups, rows)."""
        at_places = torch.from_numpy(self.sample)
        if not self.at:
            return values.reshape(-1, values.shape[-1])[at_places][:, None, :]
        index = (at_places, *(torch.from_numpy(at) for at in self.at))
        return values.movedim(1, -1)[index].reshape(len(self.sample), self.groups, -1)


Choose: TypeAlias = Callable[[tuple[int, ...]], tuple[NDArray[np.int64], list[NDArray[np.int64]]]]
"""choose(extents): indices of random places of an array, into its first axis and into each further one."""
ROWS: MapRegistry[Callable[[Any, torch.Tensor, Choose], RowInputs]] = MapRegistry(
    "the rows of weights", __name__, otherwise="its weights are rounded to nearest and stay as they were trained"
)
"""Entries make(op, values, choose): inputs of the rows of a map at places of its output, from (N, *input shape)."""


def _chosen(most: int, seed: int, extents: tuple[int, ...]) -> tuple[NDArray[np.int64], list[NDArray[np.int64]]]:
    """At most `most` random places of an array; the arguments of `Choose` come last."""
    total = int(np.prod(extents))
    chance = np.random.default_rng(seed)
    chosen = np.arange(total) if total <= most else np.sort(chance.integers(0, total, most))
    sample, *at = np.unravel_index(chosen, extents)
    return sample, at


@ROWS.register(Dense)
def _dense(op: Dense, values: torch.Tensor, choose: Choose) -> RowInputs:
    rows = values.reshape(-1, values.shape[-1])
    sample, _ = choose((len(rows),))
    return RowInputs(op, rows[torch.from_numpy(sample)][:, None, :], sample, ())


@ROWS.register(Conv)
def _conv(op: Conv, values: torch.Tensor, choose: Choose) -> RowInputs:
    sample, at = choose((len(values), *op.window.output(tuple(values.shape[2:]))))
    return RowInputs(op, _patches(op, values, sample, at), sample, tuple(at))


def _patches(
    op: Conv, values: torch.Tensor, sample: NDArray[np.int64], places: list[NDArray[np.int64]]
) -> torch.Tensor:
    """Inputs of the windows at some output places, (S, groups, d), from values (N, C, *spatial)."""
    window, rank = op.window, len(op.window.kernel)
    padded = F.pad(values, [n for pair in reversed(window.padding) for n in pair]).movedim(1, -1)
    index = [torch.from_numpy(sample).reshape(-1, *(1,) * rank)]
    for axis, place in enumerate(places):
        tap = np.arange(window.kernel[axis]) * window.dilation[axis]
        at = torch.from_numpy(place[:, None] * window.stride[axis] + tap)
        index.append(at.reshape(len(at), *(-1 if a == axis else 1 for a in range(rank))))
    patches = padded[tuple(index)].movedim(-1, 1)  # (S, channels, *kernel)
    return patches.reshape(len(patches), op.groups, -1)


def _centred(values: torch.Tensor) -> torch.Tensor:
    """(groups, S, …) values (S, groups, …) about their mean; the sum behind the mean may overflow in float32 too."""
    unit = _unit(values)
    scaled = values / unit
    return ((scaled - scaled.mean(dim=0)) * unit).transpose(0, 1)


def _unit(values: torch.Tensor) -> float:
    """A power of two such that the values divided by it are at most 2 and keep their digits."""
    return float(2.0 ** (frexp(float(values.abs().max()) if values.numel() else 0.0)[1] - 1))


def _product(a: torch.Tensor, b: torch.Tensor) -> Float:
    """Σ_S a bᵀ for (groups, S, …) each; both are scaled to about 1 first, since products may overflow in float32."""
    units = [_unit(x) for x in (a, b)]
    left, right = (a / units[0]).transpose(1, 2), b / units[1]
    rows = [left[:, i : i + ROWS_AT_ONCE] for i in range(0, left.shape[1], ROWS_AT_ONCE)]
    product = torch.cat(over_shares(lambda part: part @ right, rows), dim=1).double().numpy()
    return np.asarray(product * units[0] * units[1])
