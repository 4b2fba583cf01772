"""ProcessModels of the neurons: fixed point equals the oracle bit for bit, floating point is the same without rounding.

fixed_pt, bit_accurate_loihi   integers, v saturates at 24 bits
floating_pt                    v, leak and thresholds are real (mantissa / 2^shift), nothing rounds or saturates
"""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from numpy.typing import NDArray

from loihi_onespike.core.codes import LEAK_SHIFT, WORD_DTYPE, largest_digit, leak, saturate_v
from loihi_onespike.executors.lava.processes.process import OneSpike, OneSpikeMaxPool, OneSpikeProduct, OneSpikeReadout
from loihi_onespike.executors.lava.recording import SpikeRecorder


class _NeuronModel(PyLoihiProcessModel):
    """Clock, integration and recording of one population; `decide` is what differs."""

    leak_mant: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=17)
    input_shift: int = LavaPyType(int, np.uint8, precision=5)
    start_step: int = LavaPyType(int, np.int32, precision=32)
    period: int = LavaPyType(int, np.int32, precision=32)
    a_in: PyInPort
    v: NDArray[Any]
    bias: NDArray[Any]

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.recorder = SpikeRecorder(proc_params.get("record"))
        self.input_steps = proc_params["membrane"].input_steps

    def run_spk(self) -> None:
        a_in = self.receive()
        image, t = divmod(self.time_step - self.start_step - 1, self.period)
        t += 1
        if image >= 0:
            if t == 1:
                self.begin_window()
            self.integrate(a_in, t)
        self.decide(image, t)
        if self.recorder.watches(image) and image >= 0:
            self.see(a_in, t)
            if t == self.last_step():
                self.recorder.write(image, self.v, self.window_words())

    def receive(self) -> NDArray[Any]:
        """The synaptic input of this step."""
        return self.a_in.recv()

    def begin_window(self) -> None:
        self.v[...] = self.bias

    def integrate(self, a_in: NDArray[Any], t: int) -> None:
        if t <= self.input_steps:
            self.add(self.v, a_in, int(self.leak_mant[t - 1]), self.input_shift)

    def add(self, v: NDArray[Any], a_in: NDArray[Any], leak_mant: int, input_shift: int) -> None:
        """One step of an integration, in place."""
        raise NotImplementedError

    def see(self, a_in: NDArray[Any], t: int) -> None:
        """Record the largest values of local step t."""
        self.recorder.see(self.v, a_in)

    def decide(self, image: int, t: int) -> None:
        raise NotImplementedError

    def last_step(self) -> int:
        """Local step after which neither v nor any code word changes."""
        return self.input_steps

    def window_words(self) -> NDArray[Any] | None:
        return None


class _Fixed(_NeuronModel):
    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    v: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    bias: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)

    def add(self, v: NDArray[np.int32], a_in: NDArray[np.int32], leak_mant: int, input_shift: int) -> None:
        # The product and the shifted input need more than 32 bits before they saturate.
        decayed = leak(v.astype(np.int64), leak_mant)
        v[...] = saturate_v(decayed + (a_in.astype(np.int64) << input_shift))


class _Floating(_NeuronModel):
    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float)
    v: NDArray[np.float64] = LavaPyType(np.ndarray, float)
    bias: NDArray[np.float64] = LavaPyType(np.ndarray, float)

    def add(self, v: NDArray[np.float64], a_in: NDArray[np.float64], leak_mant: int, input_shift: int) -> None:
        v *= leak_mant / 2**LEAK_SHIFT
        v += a_in * 2.0**input_shift


class _OneSpikeModel(_NeuronModel):
    """At most one spike per window, at the first step t = wait + k at which v reaches θ of a word of phase k.

    The word is the first of the phase with v ≥ θ(w), and the spike carries its message; otherwise it is the first with
    v ≤ -θ_negative(w), with a dip also -θ_far(w) ≤ v, and the spike carries minus its message; a one-sided neuron then
    sends none.
    """

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int8, precision=8)
    spike_word: NDArray[np.int16] = LavaPyType(np.ndarray, WORD_DTYPE, precision=16)
    messages: NDArray[np.int8] = LavaPyType(np.ndarray, np.int8, precision=8)
    wait: int = LavaPyType(int, np.uint16, precision=16)
    signed: int = LavaPyType(int, np.uint8, precision=1)
    table_mant: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=16)
    table_shift: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=5)
    negative_mant: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=16)
    negative_shift: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=5)
    dips: int = LavaPyType(int, np.uint8, precision=1)
    one_sided: NDArray[np.int8] = LavaPyType(np.ndarray, np.int8, precision=1)
    far_mant: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=16)
    far_shift: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=5)
    threshold: NDArray[Any]

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.silence = np.zeros(proc_params["shape"], np.int8)
        self.digit_bits = proc_params["digit_bits"]

    def theta(self, mant: int, shift: int) -> NDArray[Any]:
        """Threshold of one code word, broadcastable to the population."""
        raise NotImplementedError

    def begin_window(self) -> None:
        super().begin_window()
        self.spike_word[...] = 0

    def decide(self, image: int, t: int) -> None:
        k = t - self.wait
        if image < 0 or not 1 <= k <= len(self.messages):
            self.s_out.send(self.silence)
            return
        may_fire = self.spike_word == 0
        sent = self.silence.copy()
        # The digits of pooled messages are integers in floating point too.
        v = largest_digit(self.v.astype(np.int64), self.digit_bits) if self.digit_bits else self.v
        self.reach(k, v, self.table_mant, self.table_shift, 1, may_fire, sent)
        if self.signed:
            may_fire &= self.one_sided == 0
            self.reach(k, -self.v, self.negative_mant, self.negative_shift, -1, may_fire, sent)
        self.s_out.send(sent)

    def reach(
        self,
        k: int,
        distance: NDArray[Any],
        mant: NDArray[np.int32],
        shift: NDArray[np.int32],
        sign: int,
        may_fire: NDArray[np.bool_],
        sent: NDArray[np.int8],
    ) -> None:
        """Spikes of one side at phase k, largest message first; neurons that fire leave `may_fire`."""
        first = (k - 1) * self.messages.shape[1]
        for word, message in enumerate(self.messages[k - 1], first + 1):
            fires = may_fire & (distance >= self.theta(mant[word - 1], shift[word - 1]))
            if sign < 0 and self.dips:
                fires &= distance <= self.theta(self.far_mant[word - 1], self.far_shift[word - 1])
            self.spike_word[fires] = sign * word
            sent[fires] = sign * message
            may_fire &= ~fires

    def last_step(self) -> int:
        return max(self.input_steps, self.wait + len(self.messages))

    def window_words(self) -> NDArray[Any]:
        return self.spike_word


class _OneSpikeFixed(_Fixed, _OneSpikeModel):
    threshold: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)

    def theta(self, mant: int, shift: int) -> NDArray[np.int64]:
        return (self.threshold.astype(np.int64) * mant) >> shift


class _OneSpikeFloating(_Floating, _OneSpikeModel):
    threshold: NDArray[np.float64] = LavaPyType(np.ndarray, float)

    def theta(self, mant: int, shift: int) -> NDArray[np.float64]:
        return self.threshold * (mant / 2.0**shift)


class _ProductModel(_OneSpikeModel):
    """Two integrations, u and w, and their product as v; inputs are stacked, (2, *shape)."""

    leak_mant2: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=17)
    input_shift2: int = LavaPyType(int, np.uint8, precision=5)
    product_shift: int = LavaPyType(int, np.uint8, precision=6)
    a_in2: PyInPort
    u: NDArray[Any]
    w: NDArray[Any]
    bias2: NDArray[Any]
    product_bias: NDArray[Any]

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.steps = proc_params["membrane"].input_steps, proc_params["product"].membrane.input_steps
        self.input_steps = max(self.steps)

    def receive(self) -> NDArray[Any]:
        return np.stack([self.a_in.recv(), self.a_in2.recv()])

    def begin_window(self) -> None:
        super().begin_window()
        self.u[...] = self.bias
        self.w[...] = self.bias2

    def integrate(self, a_in: NDArray[Any], t: int) -> None:
        if t <= self.steps[0]:
            self.add(self.u, a_in[0], int(self.leak_mant[t - 1]), self.input_shift)
        if t <= self.steps[1]:
            self.add(self.w, a_in[1], int(self.leak_mant2[t - 1]), self.input_shift2)
        self.multiply()

    def multiply(self) -> None:
        """v from u and w."""
        raise NotImplementedError

    def see(self, a_in: NDArray[Any], t: int) -> None:
        # A product of sums that are not complete decides nothing.
        for sums in (self.u, self.w, *([self.v] if t >= self.input_steps else [])):
            self.recorder.see(sums, a_in)


class _ReadoutModel(_NeuronModel):
    s_out: PyOutPort

    def decide(self, image: int, t: int) -> None:
        self.s_out.send(self.v)


@implements(proc=OneSpike, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt", "bit_accurate_loihi")
class PyOneSpikeModelFixed(_OneSpikeFixed):
    """One-spike neurons in integers."""


@implements(proc=OneSpike, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class PyOneSpikeModelFloat(_OneSpikeFloating):
    """One-spike neurons in real numbers."""


@implements(proc=OneSpikeMaxPool, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt", "bit_accurate_loihi")
class PyMaxPoolModelFixed(_OneSpikeFixed):
    """First spike of the group, in integers."""


@implements(proc=OneSpikeMaxPool, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class PyMaxPoolModelFloat(_OneSpikeFloating):
    """First spike of the group; the counts are integers here too."""


@implements(proc=OneSpikeProduct, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt", "bit_accurate_loihi")
class PyProductModelFixed(_ProductModel, _OneSpikeFixed):
    """Products of two sums in integers."""

    a_in2: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    u: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    w: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    bias2: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    product_bias: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)

    def multiply(self) -> None:
        product = self.u.astype(np.int64) * self.w
        self.v[...] = saturate_v((product >> self.product_shift) + self.product_bias)


@implements(proc=OneSpikeProduct, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class PyProductModelFloat(_ProductModel, _OneSpikeFloating):
    """Products of two sums in real numbers."""

    a_in2: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float)
    u: NDArray[np.float64] = LavaPyType(np.ndarray, float)
    w: NDArray[np.float64] = LavaPyType(np.ndarray, float)
    bias2: NDArray[np.float64] = LavaPyType(np.ndarray, float)
    product_bias: NDArray[np.float64] = LavaPyType(np.ndarray, float)

    def multiply(self) -> None:
        self.v[...] = self.u * self.w / 2.0**self.product_shift + self.product_bias


@implements(proc=OneSpikeReadout, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt", "bit_accurate_loihi")
class PyReadoutModelFixed(_Fixed, _ReadoutModel):
    """Integrating output in integers."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)


@implements(proc=OneSpikeReadout, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class PyReadoutModelFloat(_Floating, _ReadoutModel):
    """Integrating output in real numbers."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, float)
