"""Networks of volumes (Conv3d, pooling over three axes), and products with constants, from the conversion to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import loihi_onespike as los
from loihi_onespike.core.trace import first_difference
from tests.frontend.models import Fn
from tests.support.lava_processes import forked


def video() -> tuple[nn.Module, torch.Tensor]:
    """Convolutions, pooling and a shortcut over time, height and width."""
    model = nn.Sequential(
        nn.Conv3d(2, 4, 3, padding=1),
        nn.BatchNorm3d(4),
        nn.ReLU(),
        nn.MaxPool3d((1, 2, 2)),
        nn.Conv3d(4, 4, (3, 1, 1), stride=(2, 1, 1), padding=(1, 0, 0)),
        nn.ReLU(),
        nn.AdaptiveAvgPool3d(1),
        nn.Flatten(),
        nn.Linear(4, 3),
    )
    return model.eval(), torch.rand(8, 2, 4, 4, 4)


def mixer() -> tuple[nn.Module, torch.Tensor]:
    """A network that mixes places and features by constants of its own."""

    def forward(m: Any, x: Any) -> Any:
        y = torch.relu(m.tokens @ x)
        z = torch.relu(torch.einsum("nti,ij->njt", y, m.features))
        return torch.einsum("njt,jt->nj", z, m.weights)

    values = {"tokens": torch.randn(5, 6), "features": torch.randn(3, 4), "weights": torch.randn(4, 5)}
    return Fn(forward, **{name: nn.Parameter(v) for name, v in values.items()}), torch.rand(8, 6, 3)


@pytest.mark.parametrize("make", [video, mixer])
def test_executors_and_files(make: Any, tmp_path: Path) -> None:
    torch.manual_seed(2)
    model, x = make()
    with torch.no_grad():
        wanted = model(x).numpy()
    errors = {}
    for timesteps in (3, 12):
        net = los.convert(model, x, timesteps=timesteps, objective="accuracy")
        errors[timesteps] = np.linalg.norm(net.predict(x, "float") - wanted) / np.linalg.norm(wanted)
    assert 2 * errors[12] < errors[3] < 0.3
    expected = net.trace(x[:2], "reference")
    for executor in ("fast", "microcode"):
        assert first_difference(expected, net.trace(x[:2], executor)) is None, executor
    again = los.load(net.save(tmp_path / "net.h5"))
    assert first_difference(expected, again.trace(x[:2], "reference")) is None


@forked
@pytest.mark.lava
@pytest.mark.parametrize("make", [video, mixer])
def test_lava(make: Any) -> None:
    torch.manual_seed(2)
    model, x = make()
    net = los.convert(model, x, timesteps=4, objective="accuracy")
    found = net.trace(x[:1], "lava", processes="whole")
    assert first_difference(net.trace(x[:1], "reference"), found) is None
