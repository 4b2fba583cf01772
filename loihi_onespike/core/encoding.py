"""Both ends of an integer run: real inputs to code words, potentials of the readout to the units of the ANN."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeAlias, overload

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_softmax, softmax

from loihi_onespike.core.dither import encode_dithered, of_sample
from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.core.graphs.network import InputPopulation, Network, Readout
from loihi_onespike.core.graphs.output_form import joined
from loihi_onespike.core.graphs.stage import InputPlan
from loihi_onespike.errors import ConfigurationError

Codes: TypeAlias = NDArray[np.integer] | SparseSample
"""Codes of a batch (N, *shape), or of one sparse sample."""

SOFTMAX_AXES = {"": 1, "_2": 2, "_3": 3, "_last": -1}
"""Endings of the softmax functions of `FINISH`, and the axis of a batch that each one runs along."""

FINISH: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "identity": lambda y: y,
    "relu": lambda y: np.maximum(y, 0.0),
    **{f"softmax{ending}": partial(softmax, axis=axis) for ending, axis in SOFTMAX_AXES.items()},
    **{f"log_softmax{ending}": partial(log_softmax, axis=axis) for ending, axis in SOFTMAX_AXES.items()},
    "sigmoid": expit,
    "tanh": np.tanh,
}
"""What the host does with the values that it reads."""


def softmax_axis(finish: str) -> int | None:
    """Axis of a batch along which a function of `FINISH` is a softmax, None where it is none."""
    found = re.fullmatch(r"(?:log_)?softmax(|_\d|_last)", finish)
    return None if found is None else SOFTMAX_AXES[found[1]]


@overload
def encode_input(population: InputPopulation, x: NDArray[np.floating]) -> NDArray[np.integer]: ...
@overload
def encode_input(population: InputPopulation, x: NDArray[np.floating] | SparseSample) -> Codes: ...
def encode_input(population: InputPopulation, x: NDArray[np.floating] | SparseSample) -> Codes:
    """Code words of real inputs (N, *shape): those of (x - offset) / scale, saturated to the range of the code.

    A dithered population rounds by the place of a value in its sample (`core.dither`), any other by the value alone.

    Raises:
        ConfigurationError: the shape is not that of the population.
    """
    if not isinstance(x, SparseSample):
        x = np.asarray(x, dtype=np.float64)
    if x.shape[1:] != population.shape:
        wanted = ", ".join(map(str, population.shape))
        raise ConfigurationError(f"{population.name}: must have shape (N, {wanted}), got {x.shape}")
    return encode_values(population, x)


@overload
def encode_values(code: InputPopulation | InputPlan, x: NDArray[np.floating]) -> NDArray[np.integer]: ...
@overload
def encode_values(code: InputPopulation | InputPlan, x: NDArray[np.floating] | SparseSample) -> Codes: ...
def encode_values(code: InputPopulation | InputPlan, x: NDArray[np.floating] | SparseSample) -> Codes:
    """Code words of real inputs of any shape, for anything with a code, a scale and an offset.

    Of a dithered code the inputs must be whole samples (N, *shape). A sparse sample stays sparse where zero causes no
    spikes.
    """
    if isinstance(x, SparseSample):
        if np.any(code.offset):
            return encode_values(code, x.dense("an input that may be negative"))
        relative = x.matrix.data / x.at_entries(code.scale)
        return x.with_data(_words(code, relative, x))
    return _words(code, (np.asarray(x, dtype=np.float64) - code.offset) / code.scale, x)


def _words(
    code: InputPopulation | InputPlan, relative: NDArray[np.floating], x: NDArray[np.floating] | SparseSample
) -> NDArray[np.integer]:
    """Code words of values in units of the scale, of the sample or samples x."""
    return encode_dithered(code.code, relative, of_sample(x)) if code.dithered else code.code.encode(relative)


def check_codes(population: InputPopulation, codes: Codes) -> None:
    """Check code words before an executor looks them up in tables: two passes over them.

    Args:
        population: the input of the network.
        codes: code words of a batch (N, *shape), or of one sparse sample.

    Raises:
        ConfigurationError: another shape or type, or a word that the code does not have.
    """
    values = codes.matrix.data if isinstance(codes, SparseSample) else np.asarray(codes)
    if codes.shape[1:] != population.shape or not len(codes):
        wanted = ", ".join(map(str, ("N", *population.shape)))
        raise ConfigurationError(f"codes: must have shape ({wanted}) with N ≥ 1, got {codes.shape}")
    if values.dtype.kind not in "iu":
        raise ConfigurationError(
            f"codes: must be integers, got type {values.dtype}; core.encoding.encode_input makes them"
        )
    words = population.code.words()
    low, high = int(words[0]), int(words[-1])
    if values.size and not (low <= int(values.min()) and int(values.max()) <= high):
        raise ConfigurationError(
            f"codes: must be in [{low}, {high}], got values in [{values.min()}, {values.max()}]; "
            "core.encoding.encode_input makes them"
        )


def dense_codes(codes: Codes, reader: str) -> NDArray[np.integer]:
    """Code words as a dense array.

    Args:
        codes: code words of a batch or of one sparse sample.
        reader: what needs the dense array, named by the error.

    Raises:
        ConfigurationError: the dense array would be too large.
    """
    return codes.dense(reader) if isinstance(codes, SparseSample) else codes


def decode_readout(readout: Readout, v: NDArray[np.integer]) -> NDArray[np.float64]:
    """Output of the ANN, finish(v · unit / gain), in its order and shape (N, …); gain is that of all input steps."""
    return finish_output(v * readout.membrane.unit / readout.membrane.gain, readout.order, readout.finish)


def decode_outputs(network: Network, v_of: Mapping[str, NDArray[np.integer] | None]) -> NDArray[np.float64]:
    """Outputs of all readouts, (N, …) of a single one, and (N, values of all) side by side of several.

    Args:
        network: the network that ran.
        v_of: v of every readout at the end of its window, (N, *shape).
    """
    outputs = []
    for readout in network.readouts:
        v = v_of[readout.name]
        assert v is not None
        outputs.append(decode_readout(readout, v))
    return joined(outputs)


def finish_output(values: NDArray[np.float64], order: NDArray[np.int32] | None, finish: str) -> NDArray[np.float64]:
    """Rearrange the values read, (N, *readout shape), and apply the host's last operation.

    Args:
        values: values read from the readout, (N, *readout shape).
        order: index of the output in the flat readout, -1 for zero; None keeps the order.
        finish: name of the host's last operation.
    """
    if order is not None:
        flat = values.reshape(len(values), -1)
        values = np.concatenate([flat, np.zeros((len(flat), 1))], axis=1)[:, order]
    return FINISH[finish](values)
