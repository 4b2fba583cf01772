"""What the accounting needs to know of a population: its shape, its rows of state, and the maps that read into it.

A `MappedLayer` is made of a one-spike network by `layers_of`, or by hand for any other network. Weights may then be
broadcast views: only shapes and the largest weight matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.graphs.network import InputPopulation, Network
from loihi_onespike.core.maps import LinearMap, Shape, op_input_shape
from loihi_onespike.microcode.neuron_state import state_rows


@dataclass(frozen=True, eq=False)
class Afferent:
    """One group of synapses onto a layer.

    Attributes:
        name: Name of the group.
        pre: Name of the presynaptic population.
        pre_shape: Shape of that population.
        op: The linear map.
        index: Gather in front of it, as in `Synapse.index`.
        weight_bits: Width of a stored weight.
        axon_delay: Axon delay in steps.
    """

    name: str
    pre: str
    pre_shape: Shape
    op: LinearMap
    index: NDArray[np.integer] | None = None
    weight_bits: int = 8
    axon_delay: int = 0

    @property
    def seen(self) -> Shape:
        """Shape that the map reads."""
        return op_input_shape(self.pre_shape, self.index)

    @cached_property
    def active_channels(self) -> NDArray[np.bool_] | None:
        """(channels,) which channels of what the map reads carry spikes; None where the gather moves single places.

        A gather that moves whole channels, as a concatenation does, leaves channels without spikes in other groups.
        """
        channels = self.seen[0] if self.seen else 1
        if self.index is None:
            return np.ones(channels, bool)
        if len(self.seen) != len(self.pre_shape) or self.seen[1:] != self.pre_shape[1:]:
            return None
        places = prod(self.seen[1:])
        rows = np.asarray(self.index).reshape(channels, places)
        first = rows[:, :1]
        whole = (rows == first + np.arange(places)) & (first >= 0) & (first % places == 0)
        silent = np.all(rows == -1, axis=1)
        return ~silent if bool(np.all(np.all(whole, axis=1) | silent)) else None

    @cached_property
    def can_share(self) -> bool:
        """Whether the group can be stored as one convolution kernel."""
        if len(self.seen) < 2 or self.active_channels is None:
            return False
        return self.op.kernel_taps(self.seen) is not None


@dataclass(frozen=True, eq=False)
class MappedLayer:
    """One population that occupies cores.

    Attributes:
        name: Name of the population.
        shape: Its shape.
        state_rows: Rows of 64 bits of state per neuron.
        afferents: Groups of synapses onto it.
        to_host: Its values or spikes are read outside the board.
    """

    name: str
    shape: Shape
    state_rows: int
    afferents: tuple[Afferent, ...]
    to_host: bool = False

    @property
    def neurons(self) -> int:
        """Number of neurons."""
        return prod(self.shape)

    @cached_property
    def convolutional(self) -> bool:
        """Whether all maps onto the layer keep channels and space apart."""
        return len(self.shape) >= 2 and all(a.op.channel_axis == 0 for a in self.afferents)

    def shares(self, afferent: Afferent, shared_convolution: bool) -> bool:
        """Whether a group is stored as one kernel per core.

        Args:
            afferent: The group.
            shared_convolution: The chip can share kernels.
        """
        return shared_convolution and self.convolutional and afferent.can_share


def weight_bits(op: LinearMap) -> int:
    """Width b of a stored weight: even numbers of both signs in -2^b .. 2^b - 2 [C lava `utils/weightutils.py`]."""
    values = op.weight_values
    if not values.size:
        return 1
    low, high = int(values.min()), int(values.max())
    return max(next(b for b in range(1, 25) if -(2**b) <= low and high <= 2**b - 2), 1)


def layers_of(network: Network) -> tuple[MappedLayer, ...]:
    """Layers of all populations but the input, in topological order.

    The input population is provided by the host or the embedded processors and occupies no neurocore, as in the
    published
    totals of MNIST (5 cores) and PilotNet SDNN (61) [C].
    """
    layers = []
    for population in network.populations:
        if isinstance(population, InputPopulation):
            continue
        afferents = tuple(
            Afferent(s.name, s.pre, network.by_name[s.pre].shape, s.op, s.index, weight_bits(s.op), s.axon_delay)
            for s in network.synapses_onto(population.name)
        )
        host = population is network.readout
        # A long period needs a wider clock in the state.
        rows = state_rows(population, network.period_steps)
        layers.append(MappedLayer(population.name, population.shape, rows, afferents, host))
    return tuple(layers)
