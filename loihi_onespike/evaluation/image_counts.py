"""What is counted on images: whole numbers, so that the sum over parts does not depend on who counted which part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from loihi_onespike.core.graphs.network import Network
from loihi_onespike.evaluation.spike_counter import SpikeCounter


@dataclass(frozen=True)
class Counts:
    """Counts on some images.

    Attributes:
        images: how many.
        right, ann_right: samples whose class the network, and the ANN, found.
        agreed: samples on which both chose the same class.
        spikes: per population.
        synaptic_operations: per synapse group.
        outside: input values far outside the range of the calibration.
        nonzero_operations: synaptic operations per group without weights of 0.
    """

    images: int = 0
    right: int = 0
    ann_right: int = 0
    agreed: int = 0
    spikes: Mapping[str, int] = field(default_factory=dict)
    synaptic_operations: Mapping[str, int] = field(default_factory=dict)
    outside: int = 0
    nonzero_operations: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.images + other.images,
            self.right + other.right,
            self.ann_right + other.ann_right,
            self.agreed + other.agreed,
            _sums(self.spikes, other.spikes),
            _sums(self.synaptic_operations, other.synaptic_operations),
            self.outside + other.outside,
            _sums(self.nonzero_operations, other.nonzero_operations),
        )

    def numbers(self, network: Network) -> list[int]:
        """All counts in the order of the network's populations and synapses, for a reduction."""
        populations, synapses = _names(network)
        return [
            *(self.images, self.right, self.ann_right, self.agreed, self.outside),
            *(self.spikes.get(name, 0) for name in populations),
            *(self.synaptic_operations.get(name, 0) for name in synapses),
            *(self.nonzero_operations.get(name, 0) for name in synapses),
        ]

    @classmethod
    def of_numbers(cls, network: Network, numbers: Sequence[int]) -> Counts:
        """Inverse of `numbers`."""
        populations, synapses = _names(network)
        images, right, ann_right, agreed, outside, *rest = numbers
        spikes = dict(zip(populations, rest, strict=False))
        rest = rest[len(spikes) :]
        operations = dict(zip(synapses, rest, strict=False))
        nonzero = dict(zip(synapses, rest[len(operations) :], strict=True))
        return cls(images, right, ann_right, agreed, spikes, operations, outside, nonzero)

    def counter(self, network: Network) -> SpikeCounter:
        """The spikes as the report takes them."""
        operations, nonzero = dict(self.synaptic_operations), dict(self.nonzero_operations)
        return SpikeCounter(network, self.images, dict(self.spikes), operations, nonzero)

    def to_dict(self) -> dict[str, Any]:
        """The counts as values for JSON."""
        counted = ("spikes", "synaptic_operations", "nonzero_operations")
        return {**vars(self), **{name: dict(getattr(self, name)) for name in counted}}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Counts:
        """Inverse of `to_dict`; raises TypeError or ValueError when the fields are not those of counts."""
        made = cls(**stored)
        plain = (made.images, made.right, made.ann_right, made.agreed, made.outside)
        values = [*plain, *made.spikes.values(), *made.synaptic_operations.values(), *made.nonzero_operations.values()]
        if any(type(value) is not int or value < 0 for value in values):
            raise ValueError("found something else than whole numbers from 0")
        return made


def _sums(a: Mapping[str, int], b: Mapping[str, int]) -> dict[str, int]:
    return {name: a.get(name, 0) + b.get(name, 0) for name in {**a, **b}}


def _names(network: Network) -> tuple[list[str], list[str]]:
    """Populations that spike, and synapse groups."""
    return [network.input.name, *(p.name for p in network.hidden)], [s.name for s in network.synapses]
