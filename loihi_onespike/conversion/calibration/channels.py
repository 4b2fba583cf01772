"""Channels of a population, and samples of their values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.core.graphs.stage import InputStage, OutputStage, Stage, StageGraph
from loihi_onespike.core.maps import Shape

SAMPLES = 4096
"""Largest number of values that are sampled per channel."""


@dataclass(frozen=True)
class Channels:
    """The channels of a stage: sets of places that share one bias correction.

    Attributes:
        shape: shape of one sample of the stage.
        shared: axes of the shape that run over the places of one channel.
    """

    shape: Shape
    shared: tuple[int, ...]

    @classmethod
    def of(cls, stage: Stage | OutputStage) -> Channels:
        """The channels of a stage: every neuron of a vector is one, otherwise places that share a scale are one."""
        if len(stage.shape) == 1:
            return cls(stage.shape, ())
        if isinstance(stage, Stage):
            return cls(stage.shape, stage.axes_shared)
        last = all(link.op.channel_axis == -1 for link in stage.links)
        axes = range(len(stage.shape))
        return cls(stage.shape, tuple(axes)[:-1] if last else tuple(axes)[1:])

    @property
    def parameter_shape(self) -> Shape:
        """Shape of one value per channel that broadcasts to the stage's shape."""
        return tuple(1 if axis in self.shared else n for axis, n in enumerate(self.shape))

    @property
    def count(self) -> int:
        """Number of channels."""
        return int(np.prod(self.parameter_shape))

    def mean(self, values: torch.Tensor) -> NDArray[np.float64]:
        """Mean of values (N, *shape) over samples and places, (channels,)."""
        places = [0, *(axis + 1 for axis in self.shared)]
        return values.mean(dim=places, dtype=torch.float64).numpy().reshape(-1)  # sums of float32 may overflow

    def per_channel(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Values (channels,) reshaped so that they broadcast to the stage's shape."""
        return np.asarray(values, np.float64).reshape(self.parameter_shape)

    def places(self, samples: int, seed: int, most: int = SAMPLES) -> tuple[torch.Tensor, ...]:
        """Random indices into the sample axis and the shared axes; every place once if there are at most `most`.

        Args:
            samples: number of samples.
            seed: seed of the random numbers.
            most: largest number of places.
        """
        extents = (samples, *(self.shape[axis] for axis in self.shared))
        total = int(np.prod(extents))
        flat = np.arange(total) if total <= most else np.random.default_rng(seed).integers(0, total, most)
        return tuple(torch.from_numpy(i) for i in np.unravel_index(flat, extents))

    def sample(self, values: torch.Tensor, places: tuple[torch.Tensor, ...]) -> NDArray[np.float64]:
        """Values (N, *shape) at the given places, (channels, n)."""
        own = [axis + 1 for axis in range(len(self.shape)) if axis not in self.shared]
        view = values.permute(0, *(axis + 1 for axis in self.shared), *own)
        return view[places].reshape(len(places[0]), -1).T.double().numpy()


def pooling_of(graph: StageGraph, stage: Stage | OutputStage) -> Stage | None:
    """The max pooling that alone reads a stage, None where there is none or its channels are others.

    Of the values of such a stage only the largest of every window go on, so its code has to suit these. Coding and
    activation keep the order of values: the largest coded value of a window is the code of its largest value.

    Args:
        graph: graph that holds the stage.
        stage: the stage.
    """
    readers = [s for s in graph.stages if not isinstance(s, InputStage) and stage.name in {k.pre for k in s.links}]
    if len(readers) != 1 or not isinstance(readers[0], Stage) or readers[0].kind != "max_pool":
        return None
    pooling = readers[0]
    alone = len(pooling.links) == 1 and pooling.links[0].index is None
    same = Channels.of(pooling).parameter_shape == Channels.of(stage).parameter_shape
    return pooling if alone and same else None
