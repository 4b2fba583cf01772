"""Models that are files of their own: ONNX and programs of torch.export."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

import loihi_onespike as los
from loihi_onespike.errors import ModelLoadError
from loihi_onespike.models import load_model


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.out = nn.Conv2d(1, 3, 3), nn.Linear(108, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(torch.relu(self.conv(x)).flatten(1))


def test_an_exported_program_converts_from_its_file(tmp_path: Path) -> None:
    x = torch.rand(4, 1, 8, 8)
    torch.manual_seed(0)
    model = Small().eval()
    torch.export.save(torch.export.export(model, (x,)), tmp_path / "small.pt2")
    loaded = load_model(str(tmp_path / "small.pt2")).model
    assert torch.allclose(loaded(x), model(x), atol=1e-6)
    found, wanted = (los.convert(m, x, method="paper").predict(x) for m in (loaded, model))
    assert (found == wanted).all()


def test_an_onnx_file_converts(tmp_path: Path) -> None:
    pytest.importorskip("onnx2torch")
    x = torch.rand(4, 1, 8, 8)
    torch.manual_seed(0)
    model = Small().eval()
    torch.onnx.export(model, (x,), str(tmp_path / "small.onnx"))
    loaded = load_model(str(tmp_path / "small.onnx")).model
    found, wanted = (los.convert(m, x, method="paper").predict(x) for m in (loaded, model))
    assert (found == wanted).all()


def test_weights_beside_a_file_that_holds_its_own_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelLoadError, match="leave out --weights"):
        load_model("net.onnx", tmp_path / "weights.pt")


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ModelLoadError, match=r"nowhere\.pt2: no such file"):
        load_model("nowhere.pt2")
