"""Where the batch is in a tensor: found from the samples of its places, moved to the front and back."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from loihi_onespike.errors import UnsupportedModelError
from loihi_onespike.frontend import trace
from loihi_onespike.frontend.tracing.batch_axis import IN_FRONT, BatchAxis, find_batch
from tests.frontend.models import Fn, check

B = 3
FORMS = [IN_FRONT, BatchAxis(1), BatchAxis(2), BatchAxis(0, 1, 4), BatchAxis(1, 4, 1), BatchAxis(1, 2, 2)]


@pytest.mark.parametrize("form", FORMS)
def test_to_the_front_and_back(form: BatchAxis) -> None:
    shape = [5, 6, 7]
    shape[form.axis] = B * form.folded
    samples = torch.arange(B).reshape(B, *(1,) * len(form.sample_shape(tuple(shape))))
    samples = samples.expand(B, *form.sample_shape(tuple(shape)))
    tensor = form.from_front(samples)
    assert tuple(tensor.shape) == tuple(shape) == form.tensor_shape(tuple(samples.shape[1:]), B)
    assert torch.equal(form.to_front(tensor, B), samples)
    assert find_batch(tensor.numpy(), B) == form


def test_places_of_no_sample_fit_everywhere_and_mixed_samples_nowhere() -> None:
    assert find_batch(np.array([[0, 1, -1], [-1, -1, 2], [0, -1, -1]]), 3) == BatchAxis(1)
    assert find_batch(np.array([[0, 1], [1, 0]]), 2) is None
    assert find_batch(np.array(0), 2) is None


def test_axes_of_the_sample() -> None:
    assert [BatchAxis(1).sample_axis(d, 3) for d in (0, 1, 2, -1, -2)] == [0, None, 1, 1, None]
    assert [BatchAxis(0, 1, 4).sample_axis(d, 3) for d in (0, 1, 2)] == [None, 1, 2]
    assert IN_FRONT.in_front and not BatchAxis(1).in_front


MOVED = {
    "elementwise": lambda m, x: (torch.relu(x.transpose(0, 1) * 2 + 1) - 0.5).transpose(0, 1),
    "constants": lambda m, x: (x.transpose(0, 1) * torch.arange(20.0).view(5, 1, 4)).transpose(0, 1),
    "constants_of_every_sample": lambda m, x: (x.transpose(0, 1) + torch.ones(5, len(x), 4)).transpose(0, 1),
    "folded": lambda m, x: (x.reshape(-1, 4) * torch.arange(4.0) + 1).view(-1, 5, 4),
    "folded_behind": lambda m, x: (x.transpose(0, 1).reshape(-1, 4) @ torch.ones(4, 2)).view(5, -1, 2).transpose(0, 1),
    "two_values": lambda m, x: (lambda y: (y * torch.sigmoid(y + 1)).transpose(0, 1))(x.transpose(0, 1)),
    "mean": lambda m, x: x.transpose(0, 1).mean(0) + x.permute(1, 2, 0).sum(1).T.amax(1, keepdim=True),
    "joined": lambda m, x: torch.cat([x.transpose(0, 1), 2 * x.transpose(0, 1)], -1).transpose(0, 1),
}


@pytest.mark.parametrize("f", MOVED.values(), ids=MOVED.keys())
def test_operations_where_the_batch_is_not_in_front(f) -> None:
    check(Fn(f), torch.randn(2, 5, 4))


REFUSED = {
    "sum_over_it": lambda m, x: x.transpose(0, 1).sum(1),
    "layer_over_it": lambda m, x: (x.T @ torch.ones(len(x), 2)).T[:, : len(x)],
    "other_places": lambda m, x: x + x.transpose(0, 1)[: len(x), : x.shape[1]].sum(),
    "unknown_operation": lambda m, x: x.transpose(0, 1).cumsum(0).transpose(0, 1),
    "channels": lambda m, x: torch.nn.functional.avg_pool1d(x.transpose(0, 1), 1).transpose(0, 1),
}


@pytest.mark.parametrize("f", REFUSED.values(), ids=REFUSED.keys())
def test_operations_that_need_it_in_front(f) -> None:
    with pytest.raises(UnsupportedModelError):
        trace(Fn(f), torch.randn(4, 4, 4))


def test_the_operation_that_moved_it_is_named() -> None:
    def f(m, x):
        y = x.transpose(0, 1)
        return torch.nn.functional.avg_pool1d(y, 1)

    with pytest.raises(UnsupportedModelError) as caught:
        trace(Fn(f), torch.randn(2, 5, 4))
    (finding,) = caught.value.findings
    assert "transpose, which turns a batch of 2 into shape (5, 2, 4)" in finding.found
    assert finding.where.endswith("y = x.transpose(0, 1)")


def test_an_output_that_is_another_but_for_the_place_of_its_batch() -> None:
    with pytest.raises(UnsupportedModelError, match="transpose, which turns a batch"):
        trace(Fn(lambda m, x: (x * 2, (x * 2).transpose(0, 1))), torch.randn(2, 5, 4))
    with pytest.raises(UnsupportedModelError, match="transpose, which turns a batch"):
        trace(Fn(lambda m, x: (lambda y: (y, y.transpose(0, 1)))(x * 2)), torch.randn(2, 5, 4))
