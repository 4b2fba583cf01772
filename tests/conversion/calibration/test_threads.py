"""The sums of the calibration have the same bits whatever the number of threads."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from loihi_onespike.conversion.calibration.compensation import inverse_factor
from loihi_onespike.conversion.calibration.regression import solved
from loihi_onespike.conversion.calibration.row_inputs import _product
from loihi_onespike.executors.threads import one_order, over_shares, sharing_threads


def test_long_sums_are_added_in_one_order() -> None:
    """4,143 terms for each of 9 × 12 sums, which MKL divides between its threads; BLAS factorises 144 × 144 on two."""
    chance = torch.Generator().manual_seed(0)
    a, b = torch.randn(1, 4143, 9, generator=chance), torch.randn(1, 4143, 12, generator=chance)
    wide = torch.randn(1, 400, 144, generator=chance)
    before, found = torch.get_num_threads(), []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        try:
            with one_order():
                square = _product(wide, wide)
                found.append((_product(a, b), square, inverse_factor(square), solved(square, square, 0.1)))
        finally:
            torch.set_num_threads(before)
    for one, two in zip(*found, strict=True):
        assert np.array_equal(one, two)


def test_one_order_keeps_the_threads_of_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loihi_onespike.executors.threads.sharing_threads", lambda: 3)
    before = torch.get_num_threads()
    with one_order():
        monkeypatch.undo()
        with one_order():  # within another one it changes nothing
            assert (sharing_threads(), torch.get_num_threads()) == (3, 1)
        assert over_shares(lambda share: (share, torch.get_num_threads()), range(4)) == [(i, 1) for i in range(4)]
    assert (sharing_threads() <= before, torch.get_num_threads()) == (True, before)
