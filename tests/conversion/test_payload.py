"""Conversion with payload: fast and the oracle agree word for word, and a few bits are worth many phases."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import loihi_onespike as los
from loihi_onespike.conversion.method import Method
from loihi_onespike.core.trace import first_difference


def _pooled_model() -> nn.Module:
    torch.manual_seed(2)
    return nn.Sequential(
        nn.Conv2d(2, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 8, 3), nn.ReLU(), nn.Flatten(),
        nn.Linear(32, 5),
    ).eval()  # fmt: skip


def _images(n: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(n, 2, 8, 8, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    "options",
    [
        {"timesteps": 4, "payload_bits": 3},
        {"timesteps": 4, "payload_bits": 3, "wait": 2},
        {"timesteps": 2, "payload_bits": 4},
        {"timesteps": 3, "payload_bits": 1, "base": 2.0, "method": Method(two_sided=False)},
    ],
)
def test_fast_equals_the_oracle(options: dict[str, object]) -> None:
    net = los.convert(_pooled_model(), _images(64), **options)  # type: ignore[arg-type]
    found = {p.code.payload_bits for p in net.network.hidden}
    assert 0 < max(found) <= options["payload_bits"]  # type: ignore[operator]
    x = _images(3, 1).numpy()
    assert first_difference(net.trace(x, "fast"), net.trace(x, "reference")) is None


def test_three_bits_at_four_steps_are_more_exact_than_eight_steps() -> None:
    model, x = _pooled_model(), _images(200, 1)
    with torch.no_grad():
        wanted = model(x).numpy()

    def error(timesteps: int, payload_bits: int) -> float:
        net = los.convert(model, _images(64), timesteps=timesteps, payload_bits=payload_bits)
        return float(np.std(net.predict(x.numpy()) - wanted))

    assert error(4, 3) < error(8, 0)
