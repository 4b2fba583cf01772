"""A model recorded on a batch of one size takes batches of any."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from loihi_onespike.errors import ModelLoadError
from loihi_onespike.frontend.importers.batched_module import MOST_BATCH_BYTES, BatchedModule
from tests.frontend.models import Fn


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7])
def test_batches_are_cut_and_filled_up(count: int) -> None:
    recorded = BatchedModule("net", Fn(lambda m, x: [x.view(3, 4) * 2]), 3)
    x = torch.randn(count, 2, 2)
    found = recorded(x)
    torch.testing.assert_close(found if isinstance(found, torch.Tensor) else found[0], x.view(count, 4) * 2)


def test_the_batch_for_tracing() -> None:
    x = torch.arange(2.0)[:, None]
    assert BatchedModule("net", nn.Identity(), 5).whole_batch(x).flatten().tolist() == [0, 1, 0, 1, 0]
    assert BatchedModule("net", nn.Identity(), 1).whole_batch(x).flatten().tolist() == [0]
    assert BatchedModule("net", nn.Identity(), None).whole_batch(x) is x


def test_a_batch_that_nobody_recorded() -> None:
    """A size of an edited file, which would take any memory."""
    largest = MOST_BATCH_BYTES // 4
    with pytest.raises(ModelLoadError, match=rf"^net: recorded with batches of {largest + 1} samples, .*of one sample"):
        BatchedModule("net", nn.Identity(), largest + 1).whole_batch(torch.zeros(2, 1))
