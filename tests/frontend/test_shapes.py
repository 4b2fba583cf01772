"""Operations that move values become one gather each, found by executing them on a tensor of places."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from loihi_onespike.core.graphs.ann import Reindex
from loihi_onespike.frontend import trace
from tests.frontend.models import Fn, assert_close, check, kinds, reference
from tests.support.ann_eval import evaluate

IMAGE = (2, 4, 6, 5)

MOVES = {
    "flatten": lambda m, x: torch.flatten(x, 1),
    "Tensor.flatten": lambda m, x: x.flatten(2),
    "view": lambda m, x: x.view(x.size(0), -1),
    "view_minus_one": lambda m, x: x.view(-1, 4 * 6 * 5),
    "reshape": lambda m, x: x.reshape(x.shape[0], x.shape[1] * x.shape[2], -1),
    "view_as": lambda m, x: x.view(x.size(0), -1).view_as(x),
    "permute": lambda m, x: x.permute(0, 2, 3, 1),
    "transpose": lambda m, x: x.transpose(1, -1),
    "swapaxes": lambda m, x: torch.swapaxes(x, 2, 3),
    "mT": lambda m, x: x.mT,
    "movedim": lambda m, x: x.movedim(1, -1),
    "slice": lambda m, x: x[:, 1:3, ::2, 1:],
    "ellipsis": lambda m, x: x[..., 0],
    "row": lambda m, x: x[:, :, 2],
    "index_list": lambda m, x: x[:, [3, 0, 0]],
    "index_tensor": lambda m, x: x[:, torch.tensor([2, 1])],
    "narrow": lambda m, x: x.narrow(1, 1, 2),
    "select": lambda m, x: x.select(2, 3),
    "index_select": lambda m, x: torch.index_select(x, 1, torch.tensor([3, 1])),
    "chunk": lambda m, x: torch.cat(x.chunk(2, 1)[::-1], 1),
    "split": lambda m, x: torch.split(x, [1, 3], dim=1)[1],
    "split_unpacked": lambda m, x: (lambda a, b, c: a + b + c)(*x.split(2, 2)),
    "unbind": lambda m, x: sum(x.unbind(1)),
    "pad": lambda m, x: F.pad(x, (1, 2, 0, 3)),
    "pad_channels": lambda m, x: F.pad(x, (0, 0, 0, 0, 2, 1), "constant", 0),
    "pad_cut": lambda m, x: F.pad(x, (-1, 1, 2, -2)),
    "pad_constant": lambda m, x: F.pad(x, (1, 1), value=0.7),
    "pad_reflect": lambda m, x: F.pad(x, (2, 1, 1, 1), mode="reflect"),
    "roll": lambda m, x: x.roll((1, 2), (2, 3)),
    "flip": lambda m, x: torch.flip(x, [3]),
    "repeat": lambda m, x: x.repeat(1, 2, 1, 1),
    "expand": lambda m, x: x[:, :1].expand(-1, 4, -1, -1),
    "expand_as": lambda m, x: x.mean((2, 3), keepdim=True).expand_as(x),
    "repeat_interleave": lambda m, x: x.repeat_interleave(2, dim=3),
    "squeeze": lambda m, x: x[:, :1].squeeze(1).unsqueeze(-1),
    "squeeze_all": lambda m, x: x.mean((2, 3), keepdim=True).squeeze(),
    "squeeze_": lambda m, x: x[:, :1].squeeze_(1),
    "interpolate": lambda m, x: F.interpolate(x, scale_factor=2),
    "interpolate_size": lambda m, x: F.interpolate(x, size=(x.size(2) * 3, 10), mode="nearest"),
    "interpolate_exact": lambda m, x: F.interpolate(x, scale_factor=1.5, mode="nearest-exact"),
    "pixel_shuffle": lambda m, x: F.pixel_shuffle(x, 2),
    "unfold": lambda m, x: F.unfold(x, 3, padding=1),
    "Tensor.unfold": lambda m, x: x.unfold(2, 3, 1),
    "shape_branch": lambda m, x: x.flatten(1) if x.dim() == 4 and x.shape[-1] > 2 else x,
    "shape_loop": lambda m, x: torch.cat([x[:, i : i + 1] for i in range(x.size(1) - 1, -1, -1)], 1),
    "shape_unpacked": lambda m, x: (lambda b, c, h, w: x.view(b, 2, c // 2, h, w).transpose(1, 2))(*x.shape),
    "length": lambda m, x: x.view(len(x), -1),
}


@pytest.mark.parametrize("f", MOVES.values(), ids=MOVES.keys())
def test_moves(f):
    check(Fn(f), torch.randn(IMAGE))


MODULES = [
    nn.Flatten(),
    nn.Flatten(2, 3),
    nn.Unflatten(1, (2, 2)),
    nn.ZeroPad2d((1, 0, 2, 3)),
    nn.ConstantPad2d(1, 0.0),
    nn.ConstantPad2d((0, 1, 1, 0), -0.5),
    nn.ReflectionPad2d(2),
    nn.ReplicationPad2d((1, 2, 0, 1)),
    nn.CircularPad2d(1),
    nn.ChannelShuffle(2),
    nn.PixelShuffle(2),
    nn.Upsample(scale_factor=3),
    nn.Upsample(size=(12, 5)),
    nn.UpsamplingNearest2d(scale_factor=2),
    nn.Unfold(2),
]


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_moving_modules(module):
    graph = check(nn.Sequential(module), torch.randn(IMAGE))
    assert kinds(graph)[:2] == ["Input", "Reindex"]


@pytest.mark.parametrize("module", [nn.ZeroPad1d((1, 2)), nn.ConstantPad1d(2, 1.0), nn.Upsample(scale_factor=2)])
def test_moving_modules_of_one_axis(module):
    check(module, torch.randn(2, 3, 5))


def test_index_of_a_pad_is_written_out():
    op = check(Fn(lambda m, x: F.pad(x, (1, 0))), torch.randn(2, 1, 3)).output.op
    assert isinstance(op, Reindex)
    index = op.index
    np.testing.assert_array_equal(index, [[-1, 0, 1, 2]])
    assert index.dtype == np.int32


def test_a_chain_of_moves_is_one_gather():
    graph = check(Fn(lambda m, x: F.pad(x.permute(0, 2, 3, 1), (1, 1)).flatten(1)), torch.randn(IMAGE))
    assert kinds(graph) == ["Input", "Reindex"]


def test_moves_that_undo_each_other_leave_nothing():
    graph = check(Fn(lambda m, x: F.relu(x.transpose(1, 2).transpose(2, 1))), torch.randn(IMAGE))
    assert kinds(graph) == ["Input", "Activate"]


def check_fixed_batch(model, x):
    """`check` for a model that takes no other batch size."""
    graph = trace(model, x)
    assert_close(evaluate(graph, x.numpy()), reference(model, x))
    return graph


def test_a_view_with_the_batch_size_written_into_it():
    graph = check_fixed_batch(Fn(lambda m, x: m.fc(x.view(4, 12)), fc=nn.Linear(12, 3)), torch.randn(4, 3, 4))
    assert graph.output.shape == (3,)


def test_one_sample_is_enough():
    check(nn.Sequential(nn.Conv2d(4, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(24, 3)), torch.randn(1, *IMAGE[1:]))


def test_a_view_for_one_sample_only():
    check_fixed_batch(Fn(lambda m, x: m.fc(x.view(1, 12)), fc=nn.Linear(12, 3)), torch.randn(1, 3, 4))
