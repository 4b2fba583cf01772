"""What an executor records of a run, and the comparison of two runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.errors import ConfigurationError
from loihi_onespike.regular_files import write_whole


@dataclass(frozen=True, eq=False)
class LayerTrace:
    """One population over a batch.

    Attributes:
        words: (N, *shape) code word of every neuron: the phase of its spike (phase and message with graded payload, see
            `core.codes.SingleSpikeCode`), 0 for none, negative for a negative spike; for an input in digits the
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


def v_of_layers(layers: Mapping[str, LayerTrace]) -> dict[str, NDArray[np.integer] | None]:
    """The potential of every layer by its name."""
    return {name: layer.v for name, layer in layers.items()}


@dataclass(frozen=True, eq=False)
class Trace:
    """Layers by population name, in the order of the network, and the readout in the units of the ANN.

    Attributes:
        layers: one LayerTrace per population.
        output: (N, *readout shape) float64; of several readouts side by side, (N, values of all), which
            `core.graphs.output_form.split` takes apart.
    """

    layers: Mapping[str, LayerTrace]
    output: NDArray[np.float64]

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Arrays by name: `LAYER.words`, `LAYER.v` where a layer has them, and `output`.

        Raises:
            ConfigurationError: a sparse input is too large as an array.
        """
        found: dict[str, NDArray[Any]] = {}
        for name, layer in self.layers.items():
            for quantity, values in (("words", layer.codes), ("v", layer.v)):
                if values is not None:
                    found[f"{name}.{quantity}"] = np.asarray(values)
        return {**found, "output": self.output}

    def to_npz(self, path: str | Path) -> Path:
        """Write the arrays of `to_arrays` as a compressed .npz file, for numpy.load; returns the path.

        Raises:
            WriteError: the file cannot be written.
        """
        buffer = BytesIO()
        np.savez_compressed(buffer, **self.to_arrays())
        write_whole(path, buffer.getvalue())
        return Path(path)

    def to_pandas(self) -> Any:
        """A pandas.DataFrame with a row for every neuron that sent a spike, and for every input that is not 0.

        Its columns are `image`, `layer`, `neuron` (the position in the flattened layer), `word` (the code word, see
        `LayerTrace`) and `v` at the end of the window (missing for the input).

        Raises:
            ConfigurationError: pandas is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            raise ConfigurationError("to_pandas: requires pandas, got none; pip install pandas") from error
        parts = []
        for name, layer in self.layers.items():
            if layer.codes is None:
                continue
            words = np.asarray(layer.codes).reshape(len(layer.codes), -1)
            image, neuron = np.nonzero(words)
            v = None if layer.v is None else layer.v.reshape(words.shape)[image, neuron]
            columns = {"image": image, "layer": name, "neuron": neuron, "word": words[image, neuron]}
            part = pandas.DataFrame(columns)
            part["v"] = pandas.array([pandas.NA] * len(part) if v is None else v, dtype="Int64")
            parts.append(part)
        return pandas.concat(parts, ignore_index=True)


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
