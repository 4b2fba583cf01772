"""Samples of a population's values, channel by channel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.core.graphs.stage import OutputStage, Stage
from loihi_onespike.core.maps import Shape

SAMPLES = 4096
"""Values of a channel that are looked at."""


@dataclass(frozen=True)
class Channels:
    """The places of a stage that share one bias correction.

    Attributes:
        shape: of one sample.
        shared: axes of the shape that the places of a channel differ in.
    """

    shape: Shape
    shared: tuple[int, ...]

    @classmethod
    def of(cls, stage: Stage | OutputStage) -> Channels:
        """A channel per neuron in vectors, since a bias costs nothing; else places that share a scale are a channel."""
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
        """(channels,) mean over samples and places of values (N, *shape)."""
        return values.mean(dim=[0, *(axis + 1 for axis in self.shared)]).double().numpy().reshape(-1)

    def per_channel(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """(channels,) values reshaped so that they broadcast to the stage's shape."""
        return np.asarray(values, np.float64).reshape(self.parameter_shape)

    def places(self, samples: int, seed: int, most: int = SAMPLES) -> tuple[torch.Tensor, ...]:
        """Random indices into the sample axis and the shared axes, `most` of them or every place once.

        Args:
            samples: number of samples.
            seed: seed of the choice.
            most: largest number of places.
        """
        extents = (samples, *(self.shape[axis] for axis in self.shared))
        total = int(np.prod(extents))
        flat = np.arange(total) if total <= most else np.random.default_rng(seed).integers(0, total, most)
        return tuple(torch.from_numpy(i) for i in np.unravel_index(flat, extents))

    def sample(self, values: torch.Tensor, places: tuple[torch.Tensor, ...]) -> NDArray[np.float64]:
        """(channels, n) values (N, *shape) at those places."""
        own = [axis + 1 for axis in range(len(self.shape)) if axis not in self.shared]
        view = values.permute(0, *(axis + 1 for axis in self.shared), *own)
        return view[places].reshape(len(places[0]), -1).T.double().numpy()
