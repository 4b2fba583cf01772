"""Interface of the Lava Processes: ports, Vars and parameters. Behaviour is in the *_models modules beside this one.

All of them count local steps t = 1, 2, … of windows of `period` steps; the first window begins after `start` steps:

    image, t = divmod(time_step - start - 1, period) + (0, 1)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var
from numpy.typing import NDArray

from loihi_onespike.core.codes import Code, ThresholdTable, saturate_v
from loihi_onespike.core.graphs.network import Membrane, Product
from loihi_onespike.core.maps import LinearMap, Shape, op_input_shape, weight_values
from loihi_onespike.executors.lava.recording import Record


def _at_least_1d(values: NDArray[Any]) -> NDArray[Any]:
    return values.reshape((1,) * max(1 - values.ndim, 0) + values.shape)


class PhaseInput(AbstractProcess):
    """Source of input spikes: image n is sent during window n, nothing after the last image.

    Binary code: bit (bits - t) of the code at step t. Single spike: one spike at the phase of the code word.

    Args:
        codes: (N, *shape) integer codes.
        code: what the codes mean.
        period: steps of a window.
        start: steps before the first window.

    Ports: s_out (*shape) messages, 0 for no spike and 1 without payload. Vars: codes.
    """

    def __init__(
        self,
        *,
        codes: NDArray[np.integer],
        code: Code,
        period: int,
        start: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(codes=codes, code=code, period=period, start=start, name=name)
        self.s_out = OutPort(shape=codes.shape[1:])
        self.codes = Var(shape=codes.shape, init=codes)
        self.start_step = Var(shape=(1,), init=start)
        self.period = Var(shape=(1,), init=period)


class _Neurons(AbstractProcess):
    """What spiking neurons and readouts share: v(t) = saturate((v(t-1)·leak_t >> 12) + (a_in << input_shift))."""

    def __init__(
        self,
        *,
        shape: Shape,
        membrane: Membrane,
        start: int,
        period: int,
        record: Record | None,
        name: str | None,
        **parameters: Any,
    ) -> None:
        super().__init__(
            shape=shape, membrane=membrane, start=start, period=period, record=record, name=name, **parameters
        )
        self.shape = shape
        bias = np.broadcast_to(membrane.bias, shape)
        self.a_in = InPort(shape=shape)
        self.s_out = OutPort(shape=shape)
        self.v = Var(shape=shape, init=bias)
        self.bias = Var(shape=shape, init=bias)
        self.leak_mant = Var(shape=(membrane.input_steps,), init=np.array(membrane.leak))
        self.input_shift = Var(shape=(1,), init=membrane.input_shift)
        self.start_step = Var(shape=(1,), init=start)
        self.period = Var(shape=(1,), init=period)


class OneSpike(_Neurons):
    """Neurons that send at most one spike per window (see `core.graphs.network`): ReLU, signed, average pooling, relay.

    Args:
        shape: shape of the population.
        membrane: integration of the input.
        wait: steps before the first decision.
        threshold: 24-bit integers, broadcastable to shape.
        table: factor of the threshold per code word: per output phase without payload.
        negative: factor for negative spikes (sent as minus the message), None for none.
        messages: (T, M) messages of the M words of each phase, decreasing within a phase; None for 1 at every phase.
        digit_bits: in max pooling of messages, the bits of v for each neuron of the window; 0 for all others.
        far: factor for the far thresholds of negative spikes, None for none.
        one_sided: neurons that send no negative spike where `negative` is given, broadcastable to shape; None for none.
        start, period: when windows begin and how long they are.
        record: where code words and potentials go, None for nowhere.
        **parameters: of processes derived from it, for their models.

    Ports: a_in (*shape) synaptic input, s_out (*shape) messages: 0 for no spike, ±1 without payload.
    Vars: v, spike_word (code word of the own spike of this window, 0 for none yet), and the parameters above; one_sided
    is 1 in one-sided neurons, and a single 0 where there are none.
    """

    def __init__(
        self,
        *,
        shape: Shape,
        membrane: Membrane,
        wait: int,
        threshold: NDArray[np.integer],
        table: ThresholdTable,
        negative: ThresholdTable | None = None,
        messages: NDArray[np.integer] | None = None,
        digit_bits: int = 0,
        far: ThresholdTable | None = None,
        one_sided: NDArray[np.bool_] | None = None,
        start: int = 0,
        period: int,
        record: Record | None = None,
        name: str | None = None,
        **parameters: Any,
    ) -> None:
        super().__init__(
            shape=shape, membrane=membrane, start=start, period=period, record=record, name=name, table=table,
            negative=negative, digit_bits=digit_bits, far=far, one_sided=one_sided, **parameters,
        )  # fmt: skip
        threshold = _at_least_1d(threshold)
        messages = np.ones((len(table.mant), 1), np.int8) if messages is None else messages
        silent = ThresholdTable.constant(len(table.mant))
        self.spike_word = Var(shape=shape, init=0)
        self.messages = Var(shape=messages.shape, init=messages)
        self.wait = Var(shape=(1,), init=wait)
        self.threshold = Var(shape=threshold.shape, init=threshold)
        self.signed = Var(shape=(1,), init=int(negative is not None))
        self.dips = Var(shape=(1,), init=int(far is not None))
        sides = _at_least_1d(np.asarray(False if one_sided is None else one_sided).astype(np.int8))
        self.one_sided = Var(shape=sides.shape, init=sides)
        for prefix, side in (("table", table), ("negative", negative or silent), ("far", far or silent)):
            for part in ("mant", "shift"):
                values = np.array(getattr(side, part), dtype=np.int32)
                setattr(self, f"{prefix}_{part}", Var(shape=values.shape, init=values))


class OneSpikeMaxPool(OneSpike):
    """Max pooling: the first spike of the group passes, later ones are blocked by the single-spike inhibit.

    The group is the fan-in of the synapse in front; v counts its spikes (no leak, no bias). With payload v holds the
    messages of the group side by side, `digit_bits` for each, and the largest one passes.
    """


class OneSpikeProduct(OneSpike):
    """Neurons whose v is the product of two sums, for the whole input of both.

        v(t) = saturate((u(t)·w(t) >> shift) + bias)       u from a_in and `membrane`, w from a_in2 and the product's

    Args:
        product: second membrane, shift and bias.
        **parameters: those of OneSpike.

    Ports: a_in, a_in2 (*shape) synaptic input of the first and the second factor; s_out as of OneSpike.
    Vars: u, w the sums, v their product, and the parameters.
    """

    def __init__(self, *, product: Product, **parameters: Any) -> None:
        super().__init__(product=product, **parameters)
        shape, second = self.shape, product.membrane
        self.a_in2 = InPort(shape=shape)
        biases = [np.broadcast_to(m.bias, shape).astype(np.int64) for m in (parameters["membrane"], second)]
        added = np.broadcast_to(product.bias, shape)
        self.u = Var(shape=shape, init=biases[0])
        self.w = Var(shape=shape, init=biases[1])
        self.v = Var(shape=shape, init=saturate_v((biases[0] * biases[1] >> product.shift) + added))
        self.bias2 = Var(shape=shape, init=biases[1])
        self.leak_mant2 = Var(shape=(second.input_steps,), init=np.array(second.leak))
        self.input_shift2 = Var(shape=(1,), init=second.input_shift)
        self.product_shift = Var(shape=(1,), init=product.shift)
        self.product_bias = Var(shape=shape, init=added)


class OneSpikeReadout(_Neurons):
    """Output layer: integrates and never spikes; s_out (*shape) carries v after every step as a graded message.

    The value to read is that of local step t = input_steps, and stays until the window ends.
    """

    def __init__(
        self,
        *,
        shape: Shape,
        membrane: Membrane,
        start: int = 0,
        period: int,
        record: Record | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(shape=shape, membrane=membrane, start=start, period=period, record=record, name=name)


class OneSpikeSynapse(AbstractProcess):
    """One group of synapses: a_out(t + 1 + axon_delay) = (op · gather(s_in(t))) << weight_exp.

    The one step is the hop that every synapse costs, in Lava's own processes and on the chip.

    Args:
        op: linear map with even integer weights.
        pre_shape: shape of the presynaptic population.
        index: gather in front of the map (`core.graphs.network.Synapse.index`).
        weight_exp: left shift of the sum.
        axon_delay: steps of delay beyond the hop.

    Ports: s_in (*pre_shape) messages, 0 for no spike; a_out (*post_shape) sums.
    Vars: weights (those stored in op), a_buff (axon_delay + 1, *post_shape) sums on their way.
    """

    def __init__(
        self,
        *,
        op: LinearMap,
        pre_shape: Shape,
        index: NDArray[np.integer] | None = None,
        weight_exp: int = 0,
        axon_delay: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(
            op=op, pre_shape=pre_shape, index=index, weight_exp=weight_exp, axon_delay=axon_delay, name=name
        )
        post_shape = op.output_shape(op_input_shape(pre_shape, index))
        weights = _at_least_1d(weight_values(op))
        self.s_in = InPort(shape=pre_shape)
        self.a_out = OutPort(shape=post_shape)
        self.weights = Var(shape=weights.shape, init=weights)
        self.weight_exp = Var(shape=(1,), init=weight_exp)
        self.axon_delay = Var(shape=(1,), init=axon_delay)
        self.a_buff = Var(shape=(axon_delay + 1, *post_shape), init=0)


# Short names, as documented: in this module they mean processes, in `core.graphs.network` the populations they run.
MaxPool, Readout, Synapse = OneSpikeMaxPool, OneSpikeReadout, OneSpikeSynapse
