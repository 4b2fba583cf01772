"""Shapes of inputs as the first layer or the file of a model tells them."""

import pytest
import torch
from torch import nn

from loihi_onespike.errors import CalibrationError
from loihi_onespike.frontend import trace
from loihi_onespike.frontend.importers.batched_module import BatchedModule
from loihi_onespike.frontend.importers.input_shape import input_shape
from loihi_onespike.frontend.importers.program import ExportedModule


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (nn.Sequential(nn.Identity(), nn.Conv2d(3, 4, 3), nn.ReLU()), "(N, 3, H, W)"),
        (nn.Conv1d(2, 4, 3), "(N, 2, L)"),
        (nn.Sequential(nn.BatchNorm2d(5), nn.Conv2d(5, 1, 1)), "(N, 5, H, W)"),
        (nn.Sequential(nn.Flatten(), nn.Linear(64, 10)), "(N, …, 64)"),
        (BatchedModule("net", nn.Identity(), 1, (3, "height", 8)), "(N, 3, height, 8)"),
    ],
)
def test_told(model, shape):
    assert str(input_shape(model)) == shape


def test_a_layer_of_another_kind_tells_nothing():
    assert input_shape(nn.Sequential(nn.Embedding(9, 4), nn.Linear(4, 2))) is None
    assert input_shape(nn.ReLU()) is None


def test_program():
    program = torch.export.export(nn.Conv2d(3, 4, 3), (torch.zeros(2, 3, 9, 7),))
    assert str(input_shape(ExportedModule(program))) == "(N, 3, 9, 7)"


def test_a_batch_of_another_shape_is_told_the_right_one():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    with pytest.raises(CalibrationError, match=r"its first layer 0 takes \(N, 3, H, W\)"):
        trace(model, torch.zeros(2, 1, 9, 9))
