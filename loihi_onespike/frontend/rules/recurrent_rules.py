"""Recurrent layers over a sequence of fixed length, unrolled: every step is populations of its own.

    LSTM:  i, f, o = σ(W x + U h + b), g = tanh(W x + U h + b),  c' = f · c + i · g,  h' = o · tanh c'
    GRU:   r, z = σ(W x + U h + b),  n = tanh(W x + b + r · (U h + b_h)),  h' = n + z · (h - n)
    RNN:   h' = tanh(W x + U h + b), or with ReLU

States begin with 0. The weights of all steps are the same, but each step has synapses of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from loihi_onespike.core.activations import RELU, Activation, Sigmoid, Tanh
from loihi_onespike.core.graphs.ann import Add, Concat, Linear
from loihi_onespike.core.maps import Dense
from loihi_onespike.frontend.rules.activation_rules import activate
from loihi_onespike.frontend.rules.elementwise_rules import affine
from loihi_onespike.frontend.rules.product_rules import multiply
from loihi_onespike.frontend.tracing import support
from loihi_onespike.frontend.tracing.batch_axis import IN_FRONT, BatchAxis
from loihi_onespike.frontend.tracing.builder import Value
from loihi_onespike.frontend.tracing.gather import gather, gather_index
from loihi_onespike.frontend.tracing.moved_batch import refused
from loihi_onespike.frontend.tracing.registry import module_rule, takes_moved_batch
from loihi_onespike.frontend.tracing.site import Refusal, Site

Float = NDArray[np.floating]
Parts = tuple[Value, ...]
"""Vectors that are the input of a layer side by side."""
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


@dataclass(frozen=True)
class _State:
    """h, and of an LSTM c; None stands for zeros."""

    h: Value | None = None
    c: Value | None = None


@dataclass(frozen=True, eq=False)
class _Cell:
    """One step of a layer.

    Attributes:
        site: the operation.
        kind: LSTM, GRU or RNN.
        of_input, of_state: weights (gates · H, …).
        biases: (gates · H,) beside the input and beside the state.
        activation: that of an RNN.
    """

    site: Site
    kind: str
    of_input: Float
    of_state: Float
    biases: tuple[Float, Float]
    activation: Activation

    @classmethod
    def of(cls, site: Site, module: nn.Module, kind: str, ending: str) -> _Cell:
        """The step of the layer whose parameters end with `ending`."""
        weights = [site.weight(getattr(module, f"weight_{part}{ending}")) for part in ("ih", "hh")]
        none = np.zeros(len(weights[0]))
        found = [getattr(module, f"bias_{part}{ending}", None) for part in ("ih", "hh")]
        biases = [none if bias is None else site.weight(bias).astype(np.float64) for bias in found]
        relu = getattr(module, "nonlinearity", "tanh") == "relu" or getattr(module, "mode", "") == "RNN_RELU"
        return cls(site, kind, weights[0], weights[1], (biases[0], biases[1]), RELU if relu else Tanh())

    def step(self, x: Parts, state: _State, part: str) -> _State:
        """The state behind a step; `part` names it."""
        if self.kind == "LSTM":
            return self._lstm(x, state, part)
        if self.kind == "GRU":
            return _State(self._gru(x, state.h, part))
        return _State(activate(self.site, self._sum(0, x, state.h, f"{part}.sum"), self.activation, f"{part}.h"))

    def _lstm(self, x: Parts, state: _State, part: str) -> _State:
        functions = {"i": Sigmoid(), "f": Sigmoid(), "g": Tanh(), "o": Sigmoid()}
        names = [name for name in functions if name != "f" or state.c is not None]
        gates = {
            name: activate(self.site, self._sum("ifgo".index(name), x, state.h, f"{part}.{name}.sum"), functions[name],
                           f"{part}.{name}")
            for name in names
        }  # fmt: skip
        c = multiply(self.site, gates["i"], gates["g"], f"{part}.new")
        if state.c is not None:
            kept = multiply(self.site, gates["f"], state.c, f"{part}.kept")
            c = self.site.emit(Add(), [c, kept], c.shape, f"{part}.c")
        return _State(multiply(self.site, gates["o"], activate(self.site, c, Tanh(), f"{part}.tanh"), f"{part}.h"), c)

    def _gru(self, x: Parts, h: Value | None, part: str) -> Value:
        reset, update = (
            activate(self.site, self._sum(gate, x, h, f"{part}.{name}.sum"), Sigmoid(), f"{part}.{name}")
            for gate, name in enumerate("rz")
        )
        rows = self._rows(2)
        bias = self.biases[1][rows]
        if h is None:
            inner = affine(self.site, reset, bias, 0, f"{part}.reset")
        else:
            of_state = self._dense(self.of_state[rows], h, bias, f"{part}.n.state")
            inner = multiply(self.site, reset, of_state, f"{part}.reset")
        of_input = self._of_input(rows, x, self.biases[0][rows], f"{part}.n")
        n = activate(self.site, self._added([*of_input, inner], f"{part}.n.sum"), Tanh(), f"{part}.n")
        if h is None:
            return multiply(self.site, affine(self.site, update, -1, 1, f"{part}.rest"), n, f"{part}.h")
        change = self._added([h, affine(self.site, n, -1, 0, f"{part}.minus")], f"{part}.change")
        return self._added([n, multiply(self.site, update, change, f"{part}.update")], f"{part}.h")

    def _rows(self, gate: int) -> slice:
        size = self.of_state.shape[1]
        return slice(gate * size, (gate + 1) * size)

    def _sum(self, gate: int, x: Parts, h: Value | None, part: str) -> Value:
        rows = self._rows(gate)
        terms = self._of_input(rows, x, self.biases[0][rows] + self.biases[1][rows], part)
        if h is not None:
            terms.append(self._dense(self.of_state[rows], h, None, f"{part}.state"))
        return self._added(terms, part)

    def _of_input(self, rows: slice, x: Parts, bias: Float, part: str) -> list[Value]:
        ends = np.cumsum([value.shape[0] for value in x])
        columns = np.split(self.of_input[rows], ends[:-1], axis=1)
        pairs = enumerate(zip(columns, x, strict=True))
        return [self._dense(w, value, bias if i == 0 else None, f"{part}.input{i}") for i, (w, value) in pairs]

    def _dense(self, weight: Float, x: Value, bias: Float | None, part: str) -> Value:
        return self.site.emit(Linear(Dense(weight), bias), [x], (len(weight),), part)

    def _added(self, terms: Sequence[Value], part: str) -> Value:
        return terms[0] if len(terms) == 1 else self.site.emit(Add(), list(terms), terms[0].shape, part)


@takes_moved_batch
@module_rule(nn.LSTM, nn.GRU, nn.RNN)
def recurrent(site: Site, module: nn.RNNBase, input: Any, hx: Any = None) -> Any:
    """Output of every step (T, H), and the states of all layers behind the last step, (layers, H)."""
    kind = type(module).__name__
    x = site.activation(input)
    wanted = 0 if module.batch_first else 1
    if (x.batch.axis, x.batch.folded) != (wanted, 1) or module.proj_size:
        if not x.batch.in_front and module.batch_first:
            raise refused(x)
        site.refuse("recurrent", f"{site.display} with a projection, or over axis 0, which is the batch")
    batch, x = x.batch, site.activation(replace(x, batch=IN_FRONT), 2)
    _check_zero(site, hx)
    whole = gather_index(site, x, lambda t: t)
    sequence: list[Parts] = [(site.reindex(x, whole[at], f"x{at}"),) for at in range(x.shape[0])]
    last: list[_State] = []
    for layer in range(module.num_layers):
        directions: list[list[_State]] = []
        for ending in ("", "_reverse")[: 1 + module.bidirectional]:
            cell = _Cell.of(site, module, kind, f"_l{layer}{ending}")
            order = list(reversed(sequence)) if ending else sequence
            state, states = _State(), []
            for at, parts in enumerate(order):
                state = cell.step(parts, state, f"l{layer}{ending}.t{at}")
                states.append(state)
            last.append(state)
            directions.append(states[::-1] if ending else states)
        sequence = [tuple(s.h for s in step if s.h is not None) for step in zip(*directions, strict=True)]
    steps = [_joined(site, parts, 0, f"out{at}") for at, parts in enumerate(sequence)]
    rows = [gather(site, step, lambda t: t[:, None], f"row{at}") for at, step in enumerate(steps)]
    output = replace(_joined(site, rows, 0, "out"), batch=batch)
    site.note(output, f"unrolled over {len(sequence)} steps")
    h = _stacked(site, [state.h for state in last], "h")
    if kind != "LSTM":
        return output, h
    return output, (h, _stacked(site, [state.c for state in last], "c"))


def _stacked(site: Site, states: Sequence[Value | None], part: str) -> Value:
    """The last states of all layers and directions, which torch stacks in front of the samples."""
    rows = [gather(site, s, lambda t: t[:, None], f"{part}{i}") for i, s in enumerate(states) if s is not None]
    found = f"{site.display}, whose last states have their layers in front of the samples"
    finding = Refusal(found, support.advice_for("batch_mixed")).finding(site.name, site.source)
    return replace(_joined(site, rows, 0, part), batch=BatchAxis(1, finding=finding))


@module_rule(nn.LSTMCell, nn.GRUCell, nn.RNNCell)
def recurrent_cell(site: Site, module: nn.RNNCellBase, input: Any, hx: Any = None) -> Any:
    """The state behind one step; states that are zeros, or come from an earlier step."""
    x = site.activation(input, 1)
    kind = type(module).__name__.removesuffix("Cell")
    given = [value if isinstance(value, Value) else None for value in (hx if isinstance(hx, tuple) else (hx,))]
    _check_zero(site, [v for v in (hx if isinstance(hx, tuple) else (hx,)) if not isinstance(v, Value)])
    state = _Cell.of(site, module, kind, "").step((x,), _State(*given), "step")
    return (state.h, state.c) if kind == "LSTM" else state.h


def _joined(site: Site, values: Sequence[Value], axis: int, part: str) -> Value:
    if len(values) == 1:
        return values[0]
    shape = list(values[0].shape)
    shape[axis] = sum(value.shape[axis] for value in values)
    return site.emit(Concat(axis), list(values), tuple(shape), part)


def _check_zero(site: Site, states: Any) -> None:
    """Refuse first states other than None and zeros."""
    for state in states if isinstance(states, tuple | list) else (states,):
        if state is not None and not (isinstance(state, torch.Tensor) and not bool(state.any())):
            site.refuse("recurrent", f"{site.display} with first states that are not zeros")
