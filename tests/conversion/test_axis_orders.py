"""Inputs whose channels are on any axis: sequences, audio, channels last, patches; each converts and stays close."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from torch import nn

import loihi_onespike as los
from loihi_onespike.core.trace import first_difference


class _Model(nn.Module):
    def __init__(
        self, *layers: nn.Module, forward: Callable[[Sequence[nn.Module], torch.Tensor], torch.Tensor]
    ) -> None:
        super().__init__()
        self.layers, self.function = nn.ModuleList(layers), forward

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(list(self.layers), x)


class _Mixer(nn.Module):
    """A block of MLP-Mixer: a perceptron over the patches, then one over the channels, each with its shortcut."""

    def __init__(self, patches: int, channels: int) -> None:
        super().__init__()
        self.patches = nn.Sequential(nn.Linear(patches, 8), nn.ReLU(), nn.Linear(8, patches))
        self.channels = nn.Sequential(nn.Linear(channels, 8), nn.ReLU(), nn.Linear(8, channels))
        self.norm = nn.BatchNorm1d(patches)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.patches(x.transpose(1, 2)).transpose(1, 2)
        out: torch.Tensor = x + self.channels(self.norm(x))
        return out


def _relu_then_read(m: Sequence[nn.Module], x: torch.Tensor) -> torch.Tensor:
    out: torch.Tensor = m[1](torch.relu(m[0](x)).flatten(1))
    return out


def _models() -> dict[str, tuple[nn.Module, tuple[int, ...], int | None]]:
    """Model, shape of a sample, and the axis on which values may have ranges of their own."""
    last = nn.Linear(8 * 5, 3)
    return {
        "sequence, linear over features": (_Model(nn.Linear(6, 8), last, forward=_relu_then_read), (5, 6), 1),
        "channels last": (
            _Model(
                nn.Conv2d(3, 4, 3), nn.Linear(64, 3), forward=lambda m, x: _relu_then_read(m, x.permute(0, 3, 1, 2))
            ),
            (6, 6, 3),
            2,
        ),
        "audio": (
            _Model(nn.Conv1d(6, 8, 3), nn.Linear(24, 3), forward=lambda m, x: _relu_then_read(m, x.transpose(1, 2))),
            (5, 6),
            1,
        ),
        "pictures without a channel axis": (
            _Model(nn.Conv2d(1, 4, 3), nn.Linear(64, 3), forward=lambda m, x: _relu_then_read(m, x.unsqueeze(1))),
            (6, 6),
            None,
        ),
        "batch norm over time": (
            _Model(nn.Sequential(nn.BatchNorm1d(5), nn.Linear(6, 8)), last, forward=_relu_then_read),
            (5, 6),
            1,
        ),
        "patches and channels": (
            _Model(_Mixer(5, 6), nn.Linear(6, 3), forward=lambda m, x: m[1](m[0](x).mean(1))),
            (5, 6),
            0,
        ),
        "convolution over time": (_Model(nn.Conv1d(5, 8, 3), nn.Linear(32, 3), forward=_relu_then_read), (5, 6), 0),
    }


@pytest.mark.parametrize("name", _models())
def test_channels_on_any_axis(name: str) -> None:
    torch.manual_seed(0)
    model, shape, axis = _models()[name]
    model.eval()
    x = torch.randn(40, *shape)
    x[..., 0] *= 4  # so that ranges of their own matter
    net = los.convert(model, x, timesteps=24)
    scale = net.network.input.scale
    own = [i for i, n in enumerate((1,) * (len(shape) - scale.ndim) + scale.shape) if n > 1]
    assert own == ([] if axis is None else [axis])
    with torch.no_grad():
        wanted = model(x).numpy()
    assert np.linalg.norm(net.predict(x) - wanted) < 0.1 * np.linalg.norm(wanted)
    assert first_difference(net.trace(x[:2], "reference"), net.trace(x[:2], "fast")) is None
