"""What an executor records of a run, and the comparison of two runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.gnn.sparse_sample import SparseSample


@dataclass(frozen=True, eq=False)
class LayerTrace:
    """One population over a batch.

    Attributes:
        words: (N, *shape) code word of every neuron: the phase of its spike (phase and message with graded payload, see
            `core.codes.SingleSpikeCode`), 0 for none, negative for a negative spike; for a binary coded input the
            integer codes, whose bits are the spikes; None for the readout, and for an input whose codes stand in
            `sparse`.
        v: (N, *shape) membrane potential at the end of the window; None for the input.
        peak: largest |v| over all steps, 0 where it was not recorded.
        input_peak: largest |a_in| over all steps (before the input shift), 0 where it was not recorded.
        sparse: codes of an input that is one sparse sample, None for all others.
    """

    words: NDArray[np.integer] | None
    v: NDArray[np.integer] | None
    peak: int = 0
    input_peak: int = 0
    sparse: SparseSample | None = None

    @classmethod
    def of_input(cls, codes: NDArray[np.integer] | SparseSample) -> LayerTrace:
        """The input population; it has no potential."""
        return cls(None, None, sparse=codes) if isinstance(codes, SparseSample) else cls(codes, None)

    @classmethod
    def joined(cls, parts: Sequence[LayerTrace]) -> LayerTrace:
        """The traces of consecutive parts of a batch as one."""
        if len(parts) == 1:
            return parts[0]
        words = None if parts[0].words is None else np.concatenate([p.words for p in parts if p.words is not None])
        v = None if parts[0].v is None else np.concatenate([p.v for p in parts if p.v is not None])
        return cls(words, v, max(p.peak for p in parts), max(p.input_peak for p in parts))

    def compact(self) -> LayerTrace:
        """The same trace with code words in 8 bits where they fit, copied so that no larger array stays alive."""
        if self.words is None or self.words.dtype == np.int8 or self.words.size == 0:
            return self
        if max(int(self.words.max()), -int(self.words.min())) > np.iinfo(np.int8).max:
            return self
        return replace(self, words=self.words.astype(np.int8))

    @property
    def codes(self) -> NDArray[np.integer] | None:
        """Code words as a dense array, also of a sparse input; raises ConfigurationError if that would be too large."""
        return self.words if self.sparse is None else self.sparse.dense("a comparison of traces")


@dataclass(frozen=True, eq=False)
class Trace:
    """Layers by population name, in the order of the network, and the readout in the units of the ANN.

    Attributes:
        layers: one LayerTrace per population.
        output: (N, *readout shape) float64.
    """

    layers: Mapping[str, LayerTrace]
    output: NDArray[np.float64]


@dataclass(frozen=True)
class Difference:
    """First place where two traces differ.

    Attributes:
        layer: name of the population.
        quantity: "words" or "v".
        count: number of differing values of this quantity in the layer.
        index: place of the first of them, the image first.
        left: its value in the first trace.
        right: its value in the second trace.
    """

    layer: str
    quantity: str
    count: int
    index: tuple[int, ...]
    left: int
    right: int

    def __str__(self) -> str:
        where = ", ".join(map(str, self.index))
        what = "code words" if self.quantity == "words" else "values of v"
        return f"{self.layer}: {self.count} {what} differ, first at [{where}]: {self.left} and {self.right}"


def first_difference(left: Trace, right: Trace) -> Difference | None:
    """First difference in the order of the network, code words before potentials; None when all are equal."""
    for name, a in left.layers.items():
        b = right.layers[name]
        for quantity, x, y in (("words", a.codes, b.codes), ("v", a.v, b.v)):
            if x is None and y is None:
                continue
            unequal = np.asarray(x) != np.asarray(y)
            if np.any(unequal):
                index = tuple(int(i) for i in np.argwhere(unequal)[0])
                left_value, right_value = int(np.asarray(x)[index]), int(np.asarray(y)[index])
                return Difference(name, quantity, int(np.sum(unequal)), index, left_value, right_value)
    return None


def differing_spikes(left: Trace, right: Trace) -> int:
    """Number of neurons, over all layers and images, whose code word differs."""
    return sum(
        int(np.sum(np.asarray(a.codes) != np.asarray(right.layers[name].codes)))
        for name, a in left.layers.items()
        if a.codes is not None
    )
