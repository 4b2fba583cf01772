"""Places that share one correction, by hand."""

from __future__ import annotations

import numpy as np
import torch

from loihi_onespike.conversion.calibration.channels import Channels

VALUES = torch.arange(12.0).reshape(2, 2, 3)
"""Two samples of shape (2, 3)."""


def test_mean_and_parameters_of_two_channels() -> None:
    channels = Channels((2, 3), (1,))
    assert channels.count == 2 and channels.parameter_shape == (2, 1)
    assert channels.mean(VALUES).tolist() == [(0 + 1 + 2 + 6 + 7 + 8) / 6, (3 + 4 + 5 + 9 + 10 + 11) / 6]
    assert channels.per_channel(np.array([1.0, 2.0])).tolist() == [[1.0], [2.0]]


def test_few_values_are_all_taken_and_many_by_chance() -> None:
    channels = Channels((2, 3), (1,))
    every = channels.sample(VALUES, channels.places(2, seed=0))
    assert every.tolist() == [[0, 1, 2, 6, 7, 8], [3, 4, 5, 9, 10, 11]]
    some, same = (channels.sample(VALUES, channels.places(2, seed=1, most=4)) for _ in range(2))
    assert some.shape == (2, 4) and np.array_equal(some, same) and np.array_equal(some[1] - some[0], [3] * 4)
