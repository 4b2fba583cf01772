"""Programs of torch.export and ONNX files: the same graph as from the module itself, with its names and lines."""

from __future__ import annotations

import inspect
import io
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import loihi_onespike as los
from loihi_onespike.errors import CalibrationError, ConfigurationError, ModelLoadError, UnsupportedModelError
from loihi_onespike.frontend import as_module, trace
from tests.frontend.models import Fn, assert_close, kinds, reference
from tests.support.ann_eval import evaluate_torch
from tests.support.models import inputs, make
from tests.support.signed_models import make_signed

X = inputs(5)
PADDED = torch.tensor([False, False, False, True, True])
DYNAMO = "dynamo" in inspect.signature(torch.onnx.export).parameters
"""Whether torch.onnx.export writes newer operator sets by default, torch 2.5 and newer."""


def exported(model: nn.Module, batch: int = 2, dynamic: bool = False) -> torch.export.ExportedProgram:
    sizes = ({0: torch.export.Dim("n", min=2)},) if dynamic else None
    return torch.export.export(model.eval(), (X[:batch],), dynamic_shapes=sizes)


def model_of(name: str) -> nn.Module:
    return make(name) if name in ("plain_cnn", "signal", "residual", "branches", "depthwise") else make_signed(name)


PROGRAMS = [
    *("plain_cnn", "signal", "residual", "branches", "depthwise"),
    *("bottleneck", "autoencoder", "dense", "squashing", "shuffle", "regression"),
]


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_is_its_module(name: str) -> None:
    model = model_of(name)
    graph = trace(exported(model), X)
    assert_close(evaluate_torch(graph, X.numpy()), reference(model, X))
    assert graph.name == "ExportedProgram"


@pytest.mark.parametrize(("batch", "dynamic"), [(1, False), (4, False), (2, True)])
def test_programs_of_any_batch_size(batch: int, dynamic: bool) -> None:
    """A view with the batch size written into it stands in every program of a fixed size."""
    model = make("residual")
    program = exported(model, batch, dynamic)
    assert_close(evaluate_torch(trace(program, X[:3]), X.numpy()), reference(model, X))
    with torch.no_grad():
        torch.testing.assert_close(as_module(program).eval()(X), model(X))


def test_names_and_lines_are_those_of_the_module() -> None:
    graph = trace(exported(make("residual")), X)
    names = [node.name for node in graph.nodes]
    conv = "conv2d" if hasattr(torch.export, "draft_export") else "convolution"  # torch 2.7 and newer keep conv2d
    assert names[:4] == ["input", f"stem.{conv}", "relu", f"a.{conv}"]
    assert graph.by_name["add"].source.endswith("x = F.relu(self.na(self.a(x)) + x)")
    sequential = trace(exported(nn.Sequential(nn.Conv2d(2, 3, 3), nn.Sequential(nn.ReLU()))), X)
    assert [node.name for node in sequential.nodes] == ["input", f"0.{conv}", "1.0.relu"]


ATEN = {
    "activations": lambda m, x: F.hardtanh(F.selu(F.celu(F.logsigmoid(F.softplus(F.relu6(x) + x)), 2.0))),
    "limits": lambda m, x: torch.minimum(x.clamp(-1, 1).clamp_min(0.1), abs(x)),
    "leaky": lambda m, x: F.prelu(F.rrelu(F.leaky_relu(x, 0.2)), torch.tensor([0.1, 0.3])),
    "pads": lambda m, x: F.pad(F.pad(F.pad(x, (1, 1), value=0.5), (1, 2, 0, 1), "reflect"), (1, 1, 1, 1), "replicate"),
    "resized": lambda m, x: F.interpolate(F.interpolate(x, scale_factor=2), scale_factor=2, mode="bilinear"),
    "pools": lambda m, x: F.adaptive_max_pool2d(F.avg_pool2d(F.max_pool2d(x, 2), 2, 1), 1).flatten(1),
    "moves": lambda m, x: torch.stack(x.flip(2).roll(1, 2).split(1, 1), 2)[:, 0, :, ::2].transpose(1, 2) / 2,
    "products": lambda m, x: 1 - x.flatten(1) @ torch.ones(128, 3) + x.mean((1, 2, 3)).double().float()[:, None],
}


@pytest.mark.parametrize("f", ATEN.values(), ids=ATEN.keys())
def test_aten_operations(f: Callable[..., torch.Tensor]) -> None:
    model = Fn(f)
    assert_close(evaluate_torch(trace(exported(model), X), X.numpy()), reference(model, X))


def test_a_linear_layer_over_several_axes_is_one_again() -> None:
    for bias in (True, False):
        model = Fn(lambda m, x: F.relu(m.fc(x.transpose(2, 3)) + m.fc(x)) @ torch.ones(3, 2), fc=nn.Linear(8, 3, bias))
        graph = trace(exported(model), X)
        assert_close(evaluate_torch(graph, X.numpy()), reference(model, X))
        assert kinds(graph).count("Linear") == 3


def test_a_program_exported_in_train_mode() -> None:
    model = nn.Sequential(nn.BatchNorm2d(2), nn.Dropout()).train()
    with pytest.raises(UnsupportedModelError, match="exported in train mode") as caught:
        trace(torch.export.export(model, (X[:2],)), X)
    assert any("dropout that is active" in finding.found for finding in caught.value.findings)
    assert all("model.eval()" in finding.remedy for finding in caught.value.findings if "mode" in finding.found)


class Gated(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cumsum(self.conv(x), 1) * x


def test_what_a_program_has_no_form_for_is_named_with_its_line() -> None:
    with pytest.raises(UnsupportedModelError) as caught:
        trace(exported(Gated()), X)
    assert [finding.found for finding in caught.value.findings] == ["cumsum"]
    assert all("torch.cumsum(self.conv(x), 1) * x" in finding.where for finding in caught.value.findings)


def test_convert_takes_a_program_and_a_saved_one(tmp_path: Path) -> None:
    program = exported(make("residual"))
    plain = los.convert(make("residual"), X, method="paper")
    torch.export.save(program, tmp_path / "net.pt2")
    for source in (program, tmp_path / "net.pt2", str(tmp_path / "net.pt2")):
        net = los.convert(source, X, method="paper")
        assert np.allclose(net.predict(X), plain.predict(X), atol=1e-6)
        assert net.evaluate(X, np.zeros(5, int)).agreement is not None


def test_files_that_are_no_models(tmp_path: Path) -> None:
    with pytest.raises(ModelLoadError, match="no such file"):
        trace(tmp_path / "net.onnx", X)
    for name in ("net.pt2", "net.onnx"):
        (tmp_path / name).write_bytes(b"nothing")
        with pytest.raises(ModelLoadError, match="not a "):
            trace(tmp_path / name, X)
    with pytest.raises(ModelLoadError, match=r"must end in \.onnx or \.pt2, got '\.h5'"):
        trace("net.h5", X)
    with pytest.raises(ConfigurationError, match=r"model: must be a torch\.nn\.Module.*, got int"):
        trace(3, X)  # type: ignore[arg-type]


# ONNX


def onnx_file(model: nn.Module, path: Path, dynamic: bool = True) -> Path:
    pytest.importorskip("onnx2torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        axes = {"x": {0: "n"}} if dynamic else None
        older: dict[str, Any] = {"dynamo": False} if DYNAMO else {}
        torch.onnx.export(
            model.eval(), X[:2], str(path), input_names=["x"], dynamic_axes=axes, opset_version=16, **older
        )
    return path


@pytest.mark.skipif(not DYNAMO, reason="this torch has no exporter of newer operator sets")
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_file_of_todays_exporter_is_its_module(name: str, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    model, path = model_of(name), tmp_path / "net.onnx"
    torch.onnx.export(model.eval(), (X[:2],), str(path), verbose=False)
    assert_close(evaluate_torch(trace(path, X), X.numpy()), reference(model, X))


FORMS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "volumes": (
        lambda: nn.Sequential(
            nn.Conv3d(2, 4, 3, padding=1), nn.BatchNorm3d(4), nn.ReLU(), nn.MaxPool3d(2), nn.Conv3d(4, 2, 2)
        ),
        (2, 2, 4, 6, 6),
    ),
    "norms": (
        lambda: nn.Sequential(
            nn.Conv1d(5, 4, 3), nn.GroupNorm(2, 4), nn.InstanceNorm1d(4, affine=True), nn.LayerNorm(14)
        ),
        (2, 5, 16),
    ),
    "softmax": (lambda: Fn(lambda m, x: F.softmax(x[..., :5], 1) @ x), (2, 5, 16)),
    "attention": (
        lambda: Fn(
            lambda m, x: m.a(x, x, x, PADDED.expand(len(x), -1))[0], a=nn.MultiheadAttention(16, 4, batch_first=True)
        ),
        (2, 5, 16),
    ),
}


@pytest.mark.parametrize(("make_model", "shape"), FORMS.values(), ids=FORMS.keys())
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_onnx_forms_of_volumes_norms_and_attention(
    make_model: Callable[[], nn.Module], shape: tuple[int, ...], tmp_path: Path
) -> None:
    pytest.importorskip("onnx2torch")
    model, x, path = make_model().eval(), torch.randn(shape), tmp_path / "net.onnx"
    older: dict[str, Any] = {"dynamo": False} if DYNAMO else {}
    torch.onnx.export(model, (x,), str(path), opset_version=17, **older)
    assert_close(evaluate_torch(trace(path, x), x.numpy()), reference(model, x))


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("dynamic", [True, False])
def test_an_onnx_file_is_its_module(name: str, dynamic: bool, tmp_path: Path) -> None:
    model = model_of(name)
    graph = trace(onnx_file(model, tmp_path / "net.onnx", dynamic), X)
    assert_close(evaluate_torch(graph, X.numpy()), reference(model, X))


def test_nodes_of_an_onnx_file_keep_their_names(tmp_path: Path) -> None:
    graph = trace(onnx_file(make("residual"), tmp_path / "net.onnx"), X)
    assert [node.name for node in graph.nodes][:4] == ["input", "stem.Conv", "Relu", "a.Conv"]
    assert kinds(graph).count("Linear") == 7


def test_convert_takes_an_onnx_file(tmp_path: Path) -> None:
    path = onnx_file(make("plain_cnn"), tmp_path / "net.onnx", dynamic=False)
    net = los.convert(str(path), X, method="paper")
    plain = los.convert(make("plain_cnn"), X, method="paper")
    assert np.allclose(net.predict(X), plain.predict(X), atol=1e-6)


def test_onnx_operations_that_cannot_be_read_or_have_no_form(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    path = onnx_file(nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.Conv2d(3, 2, 1)), tmp_path / "net.onnx")
    model = onnx.load(str(path))
    for node, kind in ((model.graph.node[1], "Det"), (model.graph.node[2], "Scan")):
        node.op_type = kind
    with pytest.raises(UnsupportedModelError) as caught, pytest.MonkeyPatch.context() as patch:
        patch.setattr("onnx.checker.check_model", lambda model: None)
        onnx.save(model, str(path))
        trace(path, X)
    assert [(f.node, f.found.split(" (")[0]) for f in caught.value.findings] == [
        ("/1/Relu", "ONNX operation Det"),
        ("/2/Conv", "ONNX operation Scan"),
    ]
    path = onnx_file(nn.Sequential(nn.Conv2d(2, 3, 3), nn.Hardshrink()), path)
    with pytest.raises(UnsupportedModelError, match=r"1\."):
        trace(path, X)


def test_without_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "net.onnx").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "onnx2torch", None)
    with pytest.raises(ModelLoadError, match=r'pip install "loihi-onespike\[onnx\]"'):
        trace(tmp_path / "net.onnx", X)


def test_examples_that_do_not_fit_a_program() -> None:
    with pytest.raises(CalibrationError, match="does not run"):
        trace(exported(make("plain_cnn")), torch.randn(2, 3, 8, 8))


def test_several_outputs() -> None:
    program = exported(Fn(lambda m, x: (x.relu(), x + 1)))
    assert len(trace(program, X).outputs) == 2
    found = as_module(program)(torch.cat([X, X[:1]]))  # not a multiple of the recorded batch
    for ours, wanted in zip(found, (torch.cat([X, X[:1]]).relu(), torch.cat([X, X[:1]]) + 1), strict=True):
        torch.testing.assert_close(ours, wanted)


def test_a_program_in_memory(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    torch.export.save(exported(make("residual")), buffer)
    buffer.seek(0)
    assert kinds(trace(torch.export.load(buffer), X)) == kinds(trace(make("residual"), X))
