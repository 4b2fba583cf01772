"""What the accounting needs to know of a population: its shape, its rows of state, and the maps that read into it.

A `MappedLayer` is made of a one-spike network by `layers_of`, or by hand for any other network. Weights may then be
broadcast views: only shapes and the largest weight matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.graphs.network import AnyPopulation, InputPopulation, Network, Readout, Synapse
from loihi_onespike.core.maps import Dense, LinearMap, Shape, op_input_shape
from loihi_onespike.executors.lava.stock_forms import StockForm, stock_conv, stock_form
from loihi_onespike.microcode.neuron_state import state_rows


class Storage(Enum):
    """How a core holds a group of synapses."""

    KERNEL = "kernel"
    """One kernel for all places."""
    DENSE = "dense"
    """Lists of targets, weights of 0 included."""
    SPARSE = "sparse"
    """Lists of the targets whose weight is not 0."""


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
        storage: How a core holds the group where kernels are shared; None for what follows from the map alone.
    """

    name: str
    pre: str
    pre_shape: Shape
    op: LinearMap
    index: NDArray[np.integer] | None = None
    weight_bits: int = 8
    axon_delay: int = 0
    storage: Storage | None = None

    @property
    def seen(self) -> Shape:
        """Shape that the map reads."""
        return op_input_shape(self.pre_shape, self.index)

    @cached_property
    def stored(self) -> Storage:
        """How a core holds the group where kernels are shared.

        Where `storage` does not say it: as a kernel if the map is one over two axes of space, otherwise as lists.
        """
        if self.storage is not None:
            return self.storage
        if self.index is not None or self.axon_delay:
            return Storage.SPARSE
        if len(self.seen) == 3 and self.op.kernel_taps(self.seen) is not None:
            return Storage.KERNEL
        return Storage.DENSE if isinstance(self.op, Dense) and len(self.seen) == 1 else Storage.SPARSE

    @cached_property
    def reads_twice(self) -> bool:
        """Whether the gather reads a neuron at several places."""
        if self.index is None:
            return False
        read = np.asarray(self.index)[np.asarray(self.index) >= 0]
        return len(np.unique(read)) < read.size

    @cached_property
    def reads_all(self) -> bool:
        """Whether a neuron stands behind every place that the map reads, and no neuron behind two."""
        return self.index is None or (bool(np.all(np.asarray(self.index) >= 0)) and not self.reads_twice)

    def neurons(self, places: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
        """Flat numbers of the neurons behind a box of places that the map reads, each neuron once.

        Args:
            places: Indices of the box along each axis.
        """
        if self.index is None:
            return np.ravel_multi_index(np.ix_(*places), self.pre_shape).ravel() if places else np.zeros(1, np.int64)
        read = np.asarray(self.index)[np.ix_(*places)]
        return np.unique(read[read >= 0])

    @cached_property
    def has_zero_weights(self) -> bool:
        """Whether a stored weight is 0."""
        return bool(np.any(_distinct(self.op.weight_values) == 0))


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

    def storage(self, afferent: Afferent, kernels: bool) -> Storage:
        """How a core holds one of the groups.

        Args:
            afferent: The group.
            kernels: Convolutions are stored as one kernel per core.
        """
        if afferent.stored is Storage.KERNEL and not (kernels and self.convolutional):
            return Storage.SPARSE
        return afferent.stored


def weight_bits(op: LinearMap) -> int:
    """Width b of a stored weight: even numbers of both signs in -2^b .. 2^b - 2 [C lava `utils/weightutils.py`]."""
    values = _distinct(op.weight_values)
    if not values.size:
        return 1
    low, high = int(values.min()), int(values.max())
    return max(next(b for b in range(1, 25) if -(2**b) <= low and high <= 2**b - 2), 1)


def _distinct(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """The same values without the axes along which an array is broadcast."""
    return values[tuple(slice(1) if step == 0 else slice(None) for step in values.strides)]


def layers_of(network: Network) -> tuple[MappedLayer, ...]:
    """Layers of all populations but the input, in topological order.

    The input population is provided by the host or the embedded processors and occupies no neurocore, as in the
    published totals of MNIST (5 cores) and PilotNet SDNN (61) [C]. Synapses are stored as a deployment sends them to
    the board: as a kernel, as a dense matrix, or as a sparse one.
    """
    layers = []
    for population in network.populations:
        if isinstance(population, InputPopulation):
            continue
        afferents = tuple(_afferent(s, network.by_name[s.pre]) for s in network.synapses_onto(population.name))
        host = isinstance(population, Readout)
        # A long period needs a wider clock in the state.
        rows = state_rows(population, network.period_steps)
        layers.append(MappedLayer(population.name, population.shape, rows, afferents, host))
    return tuple(layers)


def _afferent(synapse: Synapse, pre: AnyPopulation) -> Afferent:
    assert not isinstance(pre, Readout)
    conv, form = stock_conv(synapse, pre), stock_form(synapse, pre)
    storage = {StockForm.CONV: Storage.KERNEL, StockForm.DENSE: Storage.DENSE, StockForm.SPARSE: Storage.SPARSE}[form]
    op, bits = conv or synapse.op, weight_bits(synapse.op)
    return Afferent(synapse.name, synapse.pre, pre.shape, op, synapse.index, bits, synapse.axon_delay, storage)
