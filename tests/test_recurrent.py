"""Recurrent layers, unrolled: the graph computes what torch computes, and executors are equal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import loihi_onespike as los
from loihi_onespike.core.trace import first_difference
from loihi_onespike.errors import UnsupportedModelError
from loihi_onespike.frontend import trace
from tests.frontend.models import Fn, check

FORMS: dict[str, tuple[type, dict[str, Any]]] = {
    "lstm": (nn.LSTM, {}),
    "lstm_stacked_both_ways": (nn.LSTM, {"num_layers": 2, "bidirectional": True}),
    "gru": (nn.GRU, {}),
    "gru_stacked": (nn.GRU, {"num_layers": 2, "bias": False}),
    "gru_both_ways": (nn.GRU, {"bidirectional": True}),
    "rnn": (nn.RNN, {}),
    "rnn_relu": (nn.RNN, {"nonlinearity": "relu"}),
}


@pytest.mark.parametrize("name", FORMS)
def test_layers(name: str) -> None:
    kind, options = FORMS[name]
    layer = kind(3, 4, batch_first=True, **options)
    x = torch.randn(2, 5, 3)
    check(Fn(lambda m, x: m.layer(x)[0], layer=layer), x)
    states = (lambda h: h[1][-1]) if kind is nn.LSTM else (lambda h: h[-1])
    check(Fn(lambda m, x: states(m.layer(x)[1]), layer=layer), x)

    if len(name) < 5:
        other = kind(3, 4, **options)

        def sequence_first(m: Any, x: Any) -> Any:
            out, last = m.layer(x.transpose(0, 1))
            h = last[0] if kind is nn.LSTM else last
            return out.permute(1, 0, 2)[:, 1:].flatten(1) + torch.cat([h.squeeze(0)] * 4, dim=1)

        check(Fn(sequence_first, layer=other), x)

    def from_zeros(m: Any, x: Any) -> Any:
        zeros = torch.zeros(options.get("num_layers", 1) * (1 + options.get("bidirectional", False)), len(x), 4)
        return m.layer(x, (zeros, zeros) if kind is nn.LSTM else zeros)[0][:, -1]

    check(Fn(from_zeros, layer=layer), x)


@pytest.mark.parametrize("kind", [nn.LSTMCell, nn.GRUCell, nn.RNNCell])
def test_cells(kind: type) -> None:
    def forward(m: Any, x: Any) -> Any:
        state = None
        for t in range(3):
            state = m.cell(x[:, t], state)
        return state[0] if isinstance(state, tuple) else state

    check(Fn(forward, cell=kind(3, 4)), torch.randn(2, 3, 3))


def test_refused() -> None:
    x = torch.randn(2, 5, 3)
    for layer, first, message in (
        (nn.LSTM(3, 4), None, "over axis 0, which is the batch"),
        (nn.LSTM(3, 4, batch_first=True, proj_size=2), None, "projection"),
        (nn.GRU(3, 4, batch_first=True), torch.ones(1, 2, 4), "first states that are not zeros"),
    ):
        model = Fn(lambda m, x, first=first: m.layer(x, first)[0], layer=layer)
        with pytest.raises(UnsupportedModelError, match=message):
            trace(model, x)


class Classifier(nn.Module):
    """The last state of a recurrent layer, classified."""

    def __init__(self, kind: type) -> None:
        super().__init__()
        self.layer, self.last = kind(3, 4, batch_first=True), nn.Linear(4, 2)

    def forward(self, x: Any) -> Any:
        return self.last(self.layer(x)[0][:, -1])


@pytest.mark.thorough
@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])
def test_executors_and_files(kind: type, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model, x = Classifier(kind), torch.rand(16, 3, 3)
    with torch.no_grad():
        wanted = model(x).numpy()
    errors = {}
    for timesteps in (6, 14):
        net = los.convert(model, x, timesteps=timesteps, objective="accuracy")
        errors[timesteps] = np.linalg.norm(net.predict(x, "float") - wanted) / np.linalg.norm(wanted)
    assert 1.5 * errors[14] < errors[6] < 0.3
    (readout,) = net.network.readouts
    assert len(list(net.network.synapses_onto(readout.name))) <= 2  # the states of earlier steps are not read
    expected = net.trace(x[:2], "reference")
    assert first_difference(expected, net.trace(x[:2])) is None
    assert first_difference(expected, net.trace(x[:1].repeat(2, 1, 1), "reference")) is not None
    again = los.load(net.save(tmp_path / "net.h5"))
    assert first_difference(expected, again.trace(x[:2], "microcode")) is None
