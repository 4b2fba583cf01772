"""The rules of an integer network, as something that runs. Every producer of a network ends with `verify`."""

from __future__ import annotations

from collections import Counter
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.codes import LEAK_SHIFT, MAX_GAIN, MAX_MESSAGE, V_MAX, V_MIN, ThresholdTable
from loihi_onespike.core.graphs.network import (
    MAX_AXON_DELAY,
    InputPopulation,
    Membrane,
    Network,
    Population,
    Product,
    Readout,
    Synapse,
)
from loihi_onespike.core.maps import Shape, broadcasts_to, op_input_shape, weight_values
from loihi_onespike.errors import GraphError

MAX_WEIGHT = 254
MAX_WEIGHT_EXP = 7
MAX_INPUT_SHIFT = 16
MAX_PRODUCT_SHIFT = 46
LARGEST_POWER = 7 + MAX_WEIGHT_EXP
"""The largest power of two that a synapse has: 128 · 2^7."""


def verify(network: Network) -> Network:
    """Check every rule and return the network; raises GraphError with the object, what was found and the limit."""
    _names(network)
    position = {p.name: i for i, p in enumerate(network.populations)}
    _input(network.input)
    for synapse in network.synapses:
        _synapse(network, synapse, position)
    for population in network.populations:
        if not isinstance(population, InputPopulation) and not any(network.synapses_onto(population.name)):
            _fail(population.name, "no synapse onto it")
    for population in network.populations:
        if isinstance(population, InputPopulation):
            continue
        for membrane in population.membranes:
            _membrane(population.name, population.shape, membrane)
        _timing(network, population)
        if isinstance(population, Population):
            _population(population)
            _digits(network, population)
        else:
            _readout(population)
    return network


def _fail(name: str, message: str) -> NoReturn:
    raise GraphError(f"{name}: {message}")


def _names(network: Network) -> None:
    for what, names in (
        ("populations", [p.name for p in network.populations]),
        ("synapses", [s.name for s in network.synapses]),
    ):
        repeated = {n for n, count in Counter(names).items() if count > 1}
        if repeated:
            _fail(network.name, f"names of {what} used twice: {sorted(repeated)}")
    inputs = sum(isinstance(p, InputPopulation) for p in network.populations)
    if inputs != 1:
        _fail(network.name, f"must have exactly one InputPopulation, got {inputs}")
    readouts = len(network.readouts)
    if not readouts:
        _fail(network.name, "must have at least one Readout, got none")
    last = all(isinstance(p, Readout) for p in network.populations[-readouts:])
    if not isinstance(network.populations[0], InputPopulation) or not last:
        _fail(network.name, "the input must be the first population and the readouts the last")


def _input(source: InputPopulation) -> None:
    for quantity, values in (("scale", source.scale), ("offset", source.offset)):
        if not broadcasts_to(values.shape, source.shape) or not np.all(np.isfinite(values)):
            _fail(source.name, f"{quantity} must be finite and broadcast to {source.shape}")
    if not np.all(source.scale > 0):
        _fail(source.name, "scale must be positive")


def _synapse(network: Network, synapse: Synapse, position: dict[str, int]) -> None:
    name = f"{synapse.name} ({synapse.pre} → {synapse.post})"
    if synapse.pre not in position or synapse.post not in position:
        _fail(name, "connects a population that does not exist")
    if position[synapse.pre] >= position[synapse.post]:
        _fail(name, "runs backwards; populations must be in topological order, without recurrence")
    pre, post = network.by_name[synapse.pre], network.by_name[synapse.post]
    if isinstance(pre, Readout):
        _fail(name, "reads a readout, which sends no spikes")
    if synapse.index is not None and (synapse.index.min() < -1 or synapse.index.max() >= np.prod(pre.shape)):
        _fail(name, f"index reaches outside the {np.prod(pre.shape)} neurons of {pre.name}")
    factors = 1 if isinstance(post, InputPopulation) else len(post.membranes)
    if not 0 <= synapse.factor < factors:
        _fail(name, f"factor must be in 0..{factors - 1}, since {post.name} has {factors}, got {synapse.factor}")
    out = synapse.op.output_shape(op_input_shape(pre.shape, synapse.index))
    if out != post.shape:
        _fail(name, f"gives shape {out}, the population has {post.shape}")
    weights = weight_values(synapse.op)
    if not np.issubdtype(weights.dtype, np.integer):
        _fail(name, f"weights must be integers, got {weights.dtype}")
    if weights.size and (np.abs(weights.astype(np.int64)).max() > MAX_WEIGHT or np.any(weights & 1)):
        _fail(name, f"weights must be even integers in -{MAX_WEIGHT}..{MAX_WEIGHT} (Loihi's mixed-sign mode)")
    if not 0 <= synapse.weight_exp <= MAX_WEIGHT_EXP:
        _fail(name, f"weight_exp must be in 0..{MAX_WEIGHT_EXP}, got {synapse.weight_exp}")
    if not 0 <= synapse.axon_delay <= MAX_AXON_DELAY:
        _fail(
            name,
            f"axon_delay must be in 0..{MAX_AXON_DELAY} steps, got {synapse.axon_delay}; use a relay population",
        )


def _within(name: str, quantity: str, values: NDArray[np.integer], shape: Shape) -> None:
    if not np.issubdtype(values.dtype, np.integer):
        _fail(name, f"{quantity} must be integers, got {values.dtype}")
    if not broadcasts_to(values.shape, shape):
        _fail(name, f"{quantity} must broadcast to {shape}, got shape {values.shape}")
    if values.min() < V_MIN or values.max() > V_MAX:
        _fail(name, f"{quantity} must be in {V_MIN}..{V_MAX} (24 bits), got {values.min()}..{values.max()}")


def _membrane(name: str, shape: Shape, membrane: Membrane) -> None:
    _within(name, "bias", membrane.bias, shape)
    if not membrane.leak:
        _fail(name, "input_steps must be at least 1, got 0")
    if not 2**LEAK_SHIFT <= min(membrane.leak) <= max(membrane.leak) <= MAX_GAIN:
        found = f"{min(membrane.leak)} to {max(membrane.leak)}"
        _fail(name, f"leak must be in {2**LEAK_SHIFT} (no gain)..{MAX_GAIN}, got {found}")
    if not 0 <= membrane.input_shift <= MAX_INPUT_SHIFT:
        _fail(name, f"input_shift must be in 0..{MAX_INPUT_SHIFT}, got {membrane.input_shift}")
    if not broadcasts_to(membrane.unit.shape, shape) or not np.all(membrane.unit > 0):
        _fail(name, "unit must be positive and broadcast to the population's shape")


def _timing(network: Network, population: Population | Readout) -> None:
    synapses = list(network.synapses_onto(population.name))
    starts = network.starts
    arrivals = {s.name: starts[s.pre] + network.by_name[s.pre].wait + 1 + s.axon_delay for s in synapses}
    if len(set(arrivals.values())) > 1:
        _fail(population.name, f"phases do not line up, first phase arrives at steps {arrivals}")
    for factor, membrane in enumerate(population.membranes):
        steps = {s.name: network.by_name[s.pre].timesteps for s in synapses if s.factor == factor}  # type: ignore[union-attr]
        if max(steps.values(), default=0) != membrane.input_steps:
            _fail(population.name, f"input_steps must be that of its inputs, {steps}, got {membrane.input_steps}")
    if isinstance(population, Population) and not 0 <= population.wait <= population.input_steps:
        _fail(population.name, f"wait must be in 0..{population.input_steps} (input steps), got {population.wait}")


def _readout(readout: Readout) -> None:
    order, values = readout.order, int(np.prod(readout.shape))
    if order is not None and (not order.size or order.min() < -1 or order.max() >= values):
        _fail(readout.name, f"order reaches outside its {values} values")


def _population(population: Population) -> None:
    _within(population.name, "threshold", population.threshold, population.shape)
    if population.product is not None:
        _product(population, population.product)
    if population.far is not None and population.negative is None:
        _fail(population.name, "far thresholds are of negative spikes, got no table of negative spikes")
    for name, table in population.tables.items():
        _table(population, table, rises=name == "far")
    if population.one_sided is not None:
        _one_sided(population, population.one_sided)
    if population.code.payload_bits and population.threshold.min() < 0:
        # A negative one would turn the order of the thresholds of a phase round.
        _fail(population.name, f"threshold must not be negative with payload, got {population.threshold.min()}")
    if not broadcasts_to(population.scale.shape, population.shape) or not np.all(population.scale > 0):
        _fail(population.name, "scale must be positive and broadcast to the population's shape")


def _one_sided(population: Population, one_sided: NDArray[np.bool_]) -> None:
    name, negative = population.name, population.negative
    if negative is None or population.far is not None or population.product is not None:
        lacks = "without negative spikes" if negative is None else "with a dip or of products"
        _fail(name, f"one_sided must be None in a population {lacks}, got {int(one_sided.sum())} one-sided entries")
    if one_sided.dtype != bool or not broadcasts_to(one_sided.shape, population.shape):
        found = f"{one_sided.dtype} of shape {one_sided.shape}"
        _fail(name, f"one_sided must be bool and broadcast to {population.shape}, got {found}")
    # So a potential below 0, which decides nothing here, reaches no threshold of positive spikes either.
    least, mant = int(population.threshold.min()), min(*population.table.mant, *negative.mant)
    if least <= 0 or mant < 0:
        found = f"a threshold of {least} and a table entry of {mant}"
        _fail(name, f"thresholds must be positive and tables not negative where neurons are one-sided, got {found}")


def _product(population: Population, product: Product) -> None:
    _within(population.name, "bias of the product", product.bias, population.shape)
    if not 0 <= product.shift <= MAX_PRODUCT_SHIFT:
        _fail(population.name, f"shift of the product must be in 0..{MAX_PRODUCT_SHIFT}, got {product.shift}")
    if population.wait != population.input_steps:
        _fail(
            population.name,
            f"a product must wait for the whole input of both factors, {population.input_steps} steps, "
            f"got {population.wait}",
        )


def _table(population: Population, table: ThresholdTable, *, rises: bool) -> None:
    words, of_phase = len(population.code.messages), population.code.words_per_phase
    if len(table.mant) != words:
        what = "code words" if of_phase > 1 else "phases"
        _fail(population.name, f"threshold table of {len(table.mant)} {what}, the code has {words}")
    # The smallest message of a phase tells whether a neuron fires, and a search among them which one it sends.
    steps = np.diff(table.gains().reshape(-1, of_phase), axis=1)
    if np.any(steps < 0 if rises else steps > 0):
        what = "far thresholds must not decrease" if rises else "thresholds must not increase"
        _fail(population.name, f"{what} from message to message of a phase")


def _digits(network: Network, population: Population) -> None:
    """Max pooling of messages: v holds a digit for each neuron of the window, and nothing else."""
    bits, name = population.digit_bits, population.name
    if not bits:
        return
    m = population.membrane
    if set(m.leak) != {2**LEAK_SHIFT} or np.any(m.bias) or m.input_shift or population.wait or population.signed:
        _fail(name, "max pooling of messages must have no gain, bias, input_shift, wait or negative spikes")
    for synapse in network.synapses_onto(name):
        pre = network.by_name[synapse.pre]
        assert not isinstance(pre, Readout)
        signed = isinstance(pre, Population) and pre.signed
        if pre.code.multi_spike or signed or pre.code.largest_message >= 2**bits:
            _fail(name, f"{pre.name} must send one spike with a message in 1..{2**bits - 1} ({bits} bits)")
        if np.any(weight_values(synapse.op) < 0):
            _fail(name, f"weights of {synapse.name} must not be negative, since a digit is not")


def digit_of_window(neurons: int) -> int:
    """Bits of the largest messages that a pooling neuron can hold beside each other, d with d · (neurons - 1) ≤ 13.

    Args:
        neurons: number of neurons in its window.
    """
    return min((LARGEST_POWER - 1) // max(neurons - 1, 1), MAX_MESSAGE.bit_length())
