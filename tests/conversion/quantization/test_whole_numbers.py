"""Nothing but a number becomes an integer."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from torch import nn

import loihi_onespike as los
from loihi_onespike.conversion.quantization.whole_numbers import LARGEST, in_units, whole_numbers, whole_numbers_of_v
from loihi_onespike.core.codes import V_MAX, V_MIN
from loihi_onespike.errors import GraphError, HeadroomError


def test_rounding_keeps_what_overflowed_at_the_largest_magnitude() -> None:
    found = whole_numbers("layer: bias", np.array([1.5, -2.4, np.inf, -1e300]))
    assert found.tolist() == [2, -2, int(LARGEST), -int(LARGEST)] and found.dtype == np.int64


def test_nan_is_refused_by_name() -> None:
    with pytest.raises(GraphError, match="layer: bias: must be numbers, got NaN; check"):
        whole_numbers("layer: bias", np.array([1.0, np.nan]))


def test_numbers_of_v_have_its_width() -> None:
    assert whole_numbers_of_v("layer", "bias", np.array([V_MIN, V_MAX + 0.4])).tolist() == [V_MIN, V_MAX]
    for value, bits in ((V_MAX + 1.0, 25), (V_MIN - 1.0, 25), (4.0 * V_MAX, 26)):
        with pytest.raises(HeadroomError, match=f"layer: the largest bias requires {bits} bits, limit 24; use fewer"):
            whole_numbers_of_v("layer", "bias", np.array([0.0, value]))


def test_units_of_zero_give_infinity_and_never_nan() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert in_units(np.array([0.0, 1.0, -1.0, 3.0]), np.array([0.0, 0.0, 0.0, 2.0])).tolist() == [
            0.0,
            np.inf,
            -np.inf,
            1.5,
        ]


def test_a_channel_with_weights_of_nearly_zero_and_an_ordinary_bias_converts_without_a_warning() -> None:
    """The unit of such a channel is so small that its bias has more than 63 bits in it."""
    torch.manual_seed(0)
    first, second = nn.Conv2d(3, 3, 3, groups=3), nn.Linear(3 * 16, 4)
    assert first.bias is not None
    with torch.no_grad():
        first.weight[1] *= 1e-25
        first.bias.fill_(0.3)
    model = nn.Sequential(first, nn.ReLU(), nn.Flatten(), second).eval()
    x = torch.rand(64, 3, 6, 6)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        net = los.convert(model, x)
    with torch.no_grad():
        assert np.abs(net.predict(x.numpy()) - model(x).numpy()).max() < 0.05
