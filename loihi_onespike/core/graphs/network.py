"""The integer one-spike network (arXiv 2403.08786): the form that executors run, files hold and boards receive.

All values are integers. The real numbers in it (`scale`, `offset`, `unit`) only translate to and from the units of the
ANN and never enter the arithmetic. One neuron, in steps t = 1, 2, … of its window (docs/arithmetic.md, The neuron):

    v(0) = bias
    t ≤ input_steps:  v(t) = saturate( (v(t-1)·leak_t >> 12) + (a_in(t) << input_shift) )
    t > input_steps:  v(t) = v(t-1)                                (held; the threshold θ(k) falls instead)
    a_in(t)         = Σ_synapses ( Σ_i weight_i s_i(t) ) << weight_exp
    spike at phase k, decided at step t = wait + k, the first k with a word w of phase k and v(t) ≥ θ(w);
    it has the first such word. Signed populations also send a negative spike at the first k with v(t) ≤ -θ_negative(w);
    with a dip, only where -θ_far(w) ≤ v(t) ≤ -θ_negative(w); one-sided neurons of such a population never do

Here a_in is the synaptic input, s_i a message (0 for no spike, ±1 without payload), leak_t the gain of step t times
4096, θ(w) = threshold · table_w, and saturate limits v to 24 bits. Without payload a phase has one word, its number.
The neuron of a product has two such integrations, u and w, each with synapses, a leak and a bias of its own, and
decides on v(t) = saturate( (u(t)·w(t) >> shift) + bias ) after the input of both.

A neuron is silent after its spike until its window ends, while v continues as above; windows of one neuron follow each
other every `Network.period_steps` steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.codes import LEAK_SHIFT, Code, SingleSpikeCode, ThresholdTable, signed_bits
from loihi_onespike.core.maps import LinearMap, Shape
from loihi_onespike.errors import ConfigurationError

MAX_AXON_DELAY = 62
"""Longest delay of a synapse in steps: 6-bit field of Loihi 1 and Loihi 2 (Davies 2018; lava-dl)."""


@dataclass(frozen=True, eq=False)
class InputPopulation:
    """The input of the network: spikes that represent x ≈ offset + scale · Σ levels.

    Attributes:
        name: unique name.
        shape: shape of one sample without the batch.
        code: code of digits (binary or larger, a spike for each that is not zero) or of one spike (paper Table VII).
        scale: value of level 1, broadcastable to shape; the step of a code of digits is scale / unit.
        offset: value of no spike, broadcastable to shape; already folded into the biases of the next layers.
        dithered: whether values are rounded up or down by their place (`core.dither`), not to the nearest level.
    """

    name: str
    shape: Shape
    code: Code
    scale: NDArray[np.float64]
    offset: NDArray[np.float64]
    dithered: bool = False

    wait: int = field(default=0, init=False)

    @property
    def timesteps(self) -> int:
        """Number of phases of the input code."""
        return self.code.timesteps

    @property
    def message_bits(self) -> int:
        """Bits of the message of a spike, sign included; 0 where every spike is 1."""
        return _message_bits(self.code, signed=False)


@dataclass(frozen=True, eq=False)
class Membrane:
    """Integration of the input into v, common to spiking neurons and readouts (see the equations of the module).

    Attributes:
        leak: gain of each input step times 4096. These are the gains of the input's code, Q_in · 4096 at every step for
            a code with base Q_in; 4096 (no gain) in max pooling and relays.
        input_shift: left shift of the synaptic input: number of fraction bits that v has beyond the weights.
        bias: v(0), int64 values of 24 bits, broadcastable to the shape.
        unit: real value of v = 1 before any gain, broadcastable to the shape: pre-activation = v · unit / gain.
    """

    leak: tuple[int, ...]
    input_shift: int
    bias: NDArray[np.int64]
    unit: NDArray[np.float64]

    @property
    def input_steps(self) -> int:
        """Steps during which input arrives and the gain applies."""
        return len(self.leak)

    @property
    def gain(self) -> float:
        """Gain of v at the end of the input, Q_in^input_steps for a base."""
        return float(self.gains[-1])

    @cached_property
    def gains(self) -> NDArray[np.float64]:
        """Gain of v after t = 0, 1, … input steps, (input_steps + 1,)."""
        return np.cumprod([1.0, *(np.array(self.leak) / 2**LEAK_SHIFT)])


@dataclass(frozen=True, eq=False)
class Product:
    """What the neurons of a product have beyond a membrane, whose v is then called u.

        v(t) = saturate( (u(t) · w(t) >> shift) + bias )

    Attributes:
        membrane: integration of the second factor into w.
        shift: right shift of the product of two numbers of 24 bits, 0..46.
        bias: added to the shifted product, int64 values of 24 bits, broadcastable to the shape; it holds the offset of
            a two-sided population.
    """

    membrane: Membrane
    shift: int
    bias: NDArray[np.int64]


NEVER_REACHED = 2**30
"""A threshold beyond every v, of 24 bits, that still fits into an integer of 32."""


@dataclass(frozen=True, eq=False)
class Population:
    """Neurons that send at most one spike per window.

    Attributes:
        name: unique name.
        shape: shape of one sample without the batch.
        kind: what it computes, for reports and the exporter: name of the activation (relu and others), linear,
            max_pool, average_pool, product or relay. With payload, max_pool also decides how v is read (`digit_bits`).
        membrane: integration of the input.
        wait: steps before the first decision, 0..input_steps.
        code: code of its output.
        threshold: one integer of 24 bits per neuron, broadcastable to the shape.
        table: factor of the threshold per code word.
        negative: factor per code word of the threshold of negative spikes; None for unsigned populations.
        scale: λ, real value of level 1 times the code's first gain, broadcastable to the shape.
        offset: real value of no spike, broadcastable to the shape; already folded into its own bias and into those of
            the populations that read it. It is zero except for two-sided populations, where a spike of sign s and word
            w has the value offset + s · λ · level(w).
        far: factor per code word of the far threshold of negative spikes, for activations with a dip: the negative
            spike of word w is sent where -θ_far(w) ≤ v ≤ -θ_negative(w). None where there is no far end.
        product: second factor of neurons whose v is a product; None for all others.
        one_sided: neurons of a signed population that send no negative spike, broadcastable to the shape; None where
            all may.
    """

    name: str
    shape: Shape
    kind: str
    membrane: Membrane
    wait: int
    code: SingleSpikeCode
    threshold: NDArray[np.int64]
    table: ThresholdTable
    negative: ThresholdTable | None
    scale: NDArray[np.float64]
    offset: NDArray[np.float64] = field(default_factory=lambda: np.zeros(()))
    far: ThresholdTable | None = None
    product: Product | None = None
    one_sided: NDArray[np.bool_] | None = None

    @property
    def membranes(self) -> tuple[Membrane, ...]:
        """The membrane, and that of the second factor of a product: one for each `Synapse.factor`."""
        return (self.membrane,) if self.product is None else (self.membrane, self.product.membrane)

    @property
    def input_steps(self) -> int:
        """Steps during which input arrives, over all membranes."""
        return max(m.input_steps for m in self.membranes)

    @property
    def unit_at_end(self) -> NDArray[np.float64]:
        """Real value of v = 1 at the end of the input, broadcastable to the shape."""
        units = [m.unit / m.gain for m in self.membranes]
        return units[0] if self.product is None else np.asarray(units[0] * units[1] * 2.0**self.product.shift)

    @property
    def tables(self) -> dict[str, ThresholdTable]:
        """The threshold tables that it has by the names of their fields: table, negative and far."""
        every = {"table": self.table, "negative": self.negative, "far": self.far}
        return {name: table for name, table in every.items() if table is not None}

    @property
    def threshold_shape(self) -> Shape:
        """Shape of what thresholds depend on: the factor and the side."""
        return np.broadcast_shapes(self.threshold.shape, () if self.one_sided is None else self.one_sided.shape)

    def negative_thresholds(self, shape: Shape) -> NDArray[np.int64] | None:
        """θ_negative(w), (L, *shape), beyond every v for one-sided neurons; None for unsigned populations.

        Args:
            shape: shape of the population, or `threshold_shape`.
        """
        if self.negative is None:
            return None
        found = self.negative.thresholds(np.broadcast_to(self.threshold, shape))
        return found if self.one_sided is None else np.where(self.one_sided, NEVER_REACHED, found)

    @property
    def timesteps(self) -> int:
        """Number of phases T."""
        return self.code.timesteps

    @property
    def signed(self) -> bool:
        """Whether a neuron may send a negative spike."""
        return self.negative is not None

    @property
    def message_bits(self) -> int:
        """Bits of the message of a spike, sign included; 0 where every spike is 1."""
        return _message_bits(self.code, self.signed)

    @property
    def digit_bits(self) -> int:
        """In max pooling of messages, the bits of v for each neuron of the window; 0 for all other populations.

        Such neurons decide on `core.codes.largest_digit` of v instead of v.
        """
        return self.code.largest_message.bit_length() if self.kind == "max_pool" and self.code.payload_bits else 0


def _message_bits(code: Code, signed: bool) -> int:
    return signed_bits(code.largest_message) if signed or code.largest_message > 1 else 0


@dataclass(frozen=True, eq=False)
class Readout:
    """Output layer, which integrates and never spikes: output = finish(v · unit / gain).

    Attributes:
        name: unique name.
        shape: shape of v for one sample.
        membrane: integration of the input.
        finish: function that the host applies to the values, a key of `core.encoding.FINISH`: identity, relu, sigmoid,
            tanh, or softmax and log_softmax, which end with their axis unless it is the first one of the sample.
        order: rearrangement by the host, output[i] = values.ravel()[order[i]], 0 where order[i] is -1; None for none.
    """

    name: str
    shape: Shape
    membrane: Membrane
    finish: str = "identity"
    order: NDArray[np.int32] | None = None

    wait: int = field(default=0, init=False)
    kind: str = field(default="readout", init=False)

    @property
    def membranes(self) -> tuple[Membrane, ...]:
        """The membrane, as of `Population.membranes`."""
        return (self.membrane,)

    @property
    def input_steps(self) -> int:
        """Steps during which input arrives."""
        return self.membrane.input_steps


AnyPopulation: TypeAlias = InputPopulation | Population | Readout


@dataclass(frozen=True, eq=False)
class Synapse:
    """One group of synapses from one population onto another.

    Attributes:
        name: unique name; that of the post population if it has one group only.
        pre, post: names of the populations that it reads and reaches.
        op: linear map with even integer weights in -254..254 (int16).
        index: gather in front of the map: input[i] of the map is pre.ravel()[index[i]], nothing where index[i] is -1;
            None for no gather. It expresses concatenation, slices, channel shuffles, padding, flattening and
            upsampling.
        weight_exp: left shift of this group's sum, 0..7.
        axon_delay: delay in steps beyond the one step that every spike takes, 0..62.
        factor: membrane of the post population that it reaches: 0, or 1 for the second factor of a product.
    """

    name: str
    pre: str
    post: str
    op: LinearMap
    index: NDArray[np.int32] | None = None
    weight_exp: int = 0
    axon_delay: int = 0
    factor: int = 0


@dataclass(frozen=True, eq=False)
class Network:
    """The network: populations in topological order, and synapses; the rules are those of `verify_network.verify`.

    Attributes:
        name: name of the network.
        populations: input first, the readouts last.
        synapses: groups of synapses in the order of their post populations.
        facts: record of the conversion (options, head-room, versions) as JSON values; no arithmetic depends on it.
    """

    name: str
    populations: tuple[AnyPopulation, ...]
    synapses: tuple[Synapse, ...]
    facts: Mapping[str, object] = field(default_factory=dict)

    @cached_property
    def by_name(self) -> dict[str, AnyPopulation]:
        """The populations by their names."""
        return {p.name: p for p in self.populations}

    @property
    def input(self) -> InputPopulation:
        """The input population."""
        (first,) = (p for p in self.populations if isinstance(p, InputPopulation))
        return first

    @cached_property
    def readouts(self) -> tuple[Readout, ...]:
        """The readouts, in the order of the populations; most networks have one."""
        return tuple(p for p in self.populations if isinstance(p, Readout))

    @property
    def readout(self) -> Readout:
        """The readout of a network that has one; raises ConfigurationError for several."""
        if len(self.readouts) != 1:
            names = ", ".join(p.name for p in self.readouts)
            raise ConfigurationError(
                f"{self.name}: must have one output for this, got {len(self.readouts)} ({names}); convert a model that "
                "returns one of them"
            )
        return self.readouts[0]

    @property
    def hidden(self) -> tuple[Population, ...]:
        """The spiking populations between input and readout, in topological order."""
        return tuple(p for p in self.populations if isinstance(p, Population))

    def synapses_onto(self, post: str) -> Iterator[Synapse]:
        """The groups of synapses onto a population."""
        return (s for s in self.synapses if s.post == post)

    @property
    def timesteps(self) -> int:
        """T of the hidden populations, or of the input if there are none."""
        return max((p.timesteps for p in self.hidden), default=self.input.timesteps)

    @cached_property
    def period_steps(self) -> int:
        """Steps between two images in the pipeline: the longest window, T + wait of the slowest population."""
        windows = [self.input.timesteps]
        windows += [p.wait + p.timesteps for p in self.hidden]
        windows += [p.input_steps for p in self.populations if not isinstance(p, InputPopulation)]
        return max(windows)

    @cached_property
    def starts(self) -> dict[str, int]:
        """Global step before step 1 of the window of every population, for the first image.

        start(post) = start(pre) + wait(pre) + 1 + axon_delay, which is the same for all synapses onto it.
        """
        starts = {self.input.name: 0}
        for population in self.populations:
            for synapse in self.synapses_onto(population.name):
                pre = self.by_name[synapse.pre]
                starts[population.name] = starts[pre.name] + pre.wait + 1 + synapse.axon_delay
        return starts

    @cached_property
    def latency_steps(self) -> int:
        """Steps from the first input phase to the last input phase of the last readout, both counted."""
        return max(self.starts[p.name] + p.membrane.input_steps for p in self.readouts)

    def steps(self, images: int) -> int:
        """Steps for a stream of images: latency + period · (images - 1) (paper section V-C2, with one step per hop)."""
        return self.latency_steps + self.period_steps * (images - 1)
