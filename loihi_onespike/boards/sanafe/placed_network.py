"""A mapped network as objects of SANA-FE, with the spikes that it replays.

The stream of N images is closed to a ring of N · period steps: what an image sends after the last step is sent at the
beginning. Every step is thus one of a filled pipeline, as in `boards.energy`, and counts are those of N images.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.boards.mapping import Placement
from loihi_onespike.boards.sanafe.architecture import Description, Neurons
from loihi_onespike.core.graphs.network import Network, Readout
from loihi_onespike.core.trace import Trace
from loihi_onespike.regular_files import check_target, write_whole

Place = tuple[int, int]
"""(tile, core of the tile) of SANA-FE's chip."""


@dataclass(frozen=True, eq=False)
class PlacedNetwork:
    """A network on SANA-FE's Loihi, with the spikes that it replays.

    Attributes:
        network: The one-spike network.
        placement: Its cores.
        neurons: What neurons do.
        description: The chip as its file describes it.
        architecture_text: The chip with the units that the network needs, as YAML.
        architecture: The same as SANA-FE's object.
        snn: SANA-FE's network, without spikes.
        connections: Number of synapses.
        images: Number of images whose spikes are replayed.
        places: Place of every core in use, in the order of `Placement.cores`; cores of the input follow.
        convolutions: Names of the populations whose synapses are shared kernels.
        trace: The spikes.
    """

    network: Network
    placement: Placement
    neurons: Neurons
    description: Description
    architecture_text: str
    architecture: Any
    snn: Any
    connections: int
    images: int
    places: tuple[Place, ...]
    convolutions: frozenset[str]
    trace: Trace

    def raster(self, population: str, period: int) -> NDArray[np.bool_]:
        """(period_steps, neurons) which neurons spike in each step of one period of the ring.

        A spike at phase k of image n is sent in step start + wait + k of the stream, one period later per image.

        Args:
            population: Name of a population that spikes.
            period: Number of the period, from 0.
        """
        p = self.network.by_name[population]
        assert not isinstance(p, Readout)
        codes = self.trace.layers[population].codes
        assert codes is not None
        steps = self.network.period_steps
        raster = np.zeros((steps, prod(p.shape)), bool)
        for phase in range(1, p.timesteps + 1):
            later, step = divmod(self.network.starts[population] + p.wait + phase - 1, steps)
            raster[step] |= p.code.spikes(codes[(period - later) % self.images], phase).ravel() != 0
        return raster

    @property
    def replaying(self) -> tuple[str, ...]:
        """Names of the populations whose spikes are given: all that spike, or the input where neurons are computed."""
        if self.neurons == "computed":
            return (self.network.input.name,)
        return tuple(p.name for p in self.network.populations if not isinstance(p, Readout))

    def write(self, folder: Path) -> None:
        """Write `architecture.yaml` and `network.yaml`, with all given spikes, for SANA-FE's own simulator.

        Args:
            folder: An existing folder.

        Raises:
            WriteError: the folder does not exist, or takes no files.
        """
        write_whole(folder / "architecture.yaml", self.architecture_text.encode("utf-8"))
        target = check_target(folder / "network.yaml")
        for name in self.replaying:
            ring = np.concatenate([self.raster(name, n) for n in range(self.images)])
            for neuron, train in zip(self.snn[name], ring.T.astype(int).tolist(), strict=True):
                neuron.set_attributes(model_attributes={"spikes": train})
        self.snn.save(str(target))


def trains(raster: NDArray[np.bool_]) -> Iterator[tuple[int, list[int]]]:
    """(neuron, its spikes 0 and 1 step by step) of the neurons that spike in a raster.

    Args:
        raster: (steps, neurons).
    """
    for neuron in np.flatnonzero(raster.any(axis=0)).tolist():
        yield neuron, raster[:, neuron].astype(int).tolist()
