"""Crafted model and weight files: each one would run a program that makes a marker file, and none does."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from loihi_onespike.errors import ModelLoadError, OneSpikeError
from loihi_onespike.frontend.importers.program_file import _checked_archive
from loihi_onespike.models import load_model
from loihi_onespike.models.weights import load_weights

X = torch.zeros(2, 1, 8, 8)


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.marker),)


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)
        self.last = nn.Linear(72, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.relu(self.conv(x)).flatten(1))


def saved(value: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


def members(path: Path) -> dict[str, bytes]:
    """Those of a good program of a dynamic batch size."""
    sizes = ({0: torch.export.Dim("n", min=2)},)
    torch.export.save(torch.export.export(Small().eval(), (X,), dynamic_shapes=sizes), path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def described(content: dict[str, bytes]) -> str:
    """The member with the graph: torch 2.8 and newer write another layout."""
    (name,) = (n for n in content if n == "serialized_exported_program.json" or n.endswith("/models/model.json"))
    return name


def of_tensors(content: dict[str, bytes]) -> list[str]:
    return [name for name in content if name.endswith(".pt") and content[name]]


def write(path: Path, content: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return members(tmp_path_factory.mktemp("good") / "net.pt2")


def use(path: Path) -> None:
    """Load a model, and run it: what a file brings along may run in either."""
    load_model(str(path)).model.eval()(X)


def edited(good: dict[str, bytes], edit: Callable[[Any], None]) -> dict[str, bytes]:
    graph = json.loads(good[described(good)])
    edit(graph)
    return good | {described(good): json.dumps(graph).encode()}


def test_the_good_program_loads(tmp_path: Path, good: dict[str, bytes]) -> None:
    use(write(tmp_path / "net.pt2", good))
    use(write(tmp_path / "noted.pt2", good | {"extra_files/notes": b"mine"}))


def test_pickled_objects_in_a_program(tmp_path: Path, good: dict[str, bytes]) -> None:
    marker = tmp_path / "marker"
    for member in of_tensors(good):
        for content in (saved({"conv.weight": Trap(marker)}), pickle.dumps(Trap(marker))):
            path = write(tmp_path / "net.pt2", good | {member: content})
            with pytest.raises(ModelLoadError, match=r"net\.pt2.*\.pt.*tensors alone.*file\.py:callable"):
                use(path)
    assert not marker.exists()


def test_a_program_of_two_members_of_one_name(tmp_path: Path, good: dict[str, bytes]) -> None:
    """The first is checked and the second is loaded, where only names are asked for."""
    marker, path = tmp_path / "marker", write(tmp_path / "net.pt2", good)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr(of_tensors(good)[0], saved({"x": Trap(marker)}))
    with pytest.raises(ModelLoadError, match="two members of one name"):
        use(path)
    assert not marker.exists()


def test_expressions_operations_and_names_that_run(tmp_path: Path, good: dict[str, bytes]) -> None:
    """torch evaluates the sizes with Python's eval, and writes names into source that it compiles."""
    marker = tmp_path / "marker"
    call = f"__import__('os').mkdir('{marker}')"

    def expression(graph: Any) -> None:
        size = graph["graph_module"]["graph"]["tensor_values"]["relu"]["sizes"][0]
        size["as_expr"]["expr_str"] = call

    def operation(graph: Any) -> None:
        graph["graph_module"]["graph"]["nodes"][0]["target"] = "torch.os.system"

    def file_operation(graph: Any) -> None:
        graph["graph_module"]["graph"]["nodes"][0]["target"] = "torch.ops.aten.from_file.default"

    def keyword(graph: Any) -> None:
        signature = graph["graph_module"]["module_call_graph"][0]["signature"]
        spec = json.loads(signature["in_spec"])
        spec[1]["children_spec"][1]["context"] = json.dumps([f"x={call}"])
        signature["in_spec"] = json.dumps(spec)

    def argument(graph: Any) -> None:
        (own,) = (s for s in graph["graph_module"]["signature"]["input_specs"] if "user_input" in s)
        text = json.dumps(graph).replace(f'"{own["user_input"]["arg"]["as_tensor"]["name"]}"', json.dumps(f"x={call}"))
        graph.clear()
        graph.update(json.loads(text))

    for edit in (expression, operation, file_operation, keyword, argument):
        path = write(tmp_path / "net.pt2", edited(good, edit))
        with pytest.raises(ModelLoadError, match=r"its graph has the (expression|operation|name)"):
            use(path)
        assert not marker.exists(), edit.__name__


@pytest.mark.parametrize("name", ["serialized_state_dict.json", "archive_format", "../evil"])
def test_members_of_other_releases(tmp_path: Path, good: dict[str, bytes], name: str) -> None:
    with pytest.raises(ModelLoadError, match=r"net\.pt2.*member"):
        use(write(tmp_path / "net.pt2", good | {name: b"x"}))


def newer(**changes: object) -> dict[str, bytes]:
    """What torch 2.8 and newer write, as far as it is looked at here."""
    model = {"graph_module": {}, "guards_code": ["import os"], "torch_version": "2.14.1+cu130"}
    weights = {"config": {"conv.weight": {"path_name": "weight_0", "use_pickle": False} | changes}}
    return {
        "net/archive_format": b"pt2",
        "net/models/model.json": json.dumps(model).encode(),
        "net/data/weights/model_weights_config.json": json.dumps(weights).encode(),
        "net/data/weights/weight_0": b"1234",
        "net/extra/notes": b"mine",
    }


def test_the_layout_of_newer_releases(tmp_path: Path) -> None:
    """Source that checks inputs and the user's notes are left out; plain bytes of weights stay as they are."""
    with zipfile.ZipFile(_checked_archive(write(tmp_path / "net.pt2", newer()))) as checked:
        assert "net/extra/notes" not in checked.namelist() and checked.read("net/data/weights/weight_0") == b"1234"
        assert json.loads(checked.read("net/models/model.json"))["guards_code"] == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (newer(use_pickle=True), "a pickled object"),
        (newer(path_name="custom_obj_0"), "the file 'custom_obj_0'"),
        (newer() | {"net/data/constants/custom_obj_0": b"x"}, "member 'data/constants/custom_obj_0'"),
        (newer() | {"net/data/aotinductor/model/m.so": b"x"}, "member 'data/aotinductor"),
        (newer() | {"net/models/model.json": b'{"range": {"expr_str": "Symbol(\'s0\', x=open)"}}'}, "the expression"),
    ],
)
def test_what_may_run_in_the_layout_of_newer_releases(tmp_path: Path, content: dict[str, bytes], said: str) -> None:
    with pytest.raises(ModelLoadError, match=said):
        _checked_archive(write(tmp_path / "net.pt2", content))


def test_a_compressed_program(tmp_path: Path, good: dict[str, bytes]) -> None:
    with zipfile.ZipFile(tmp_path / "net.pt2", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in good.items():
            archive.writestr(name, data)
    with pytest.raises(ModelLoadError, match="is compressed"):
        use(tmp_path / "net.pt2")


def test_damaged_programs(tmp_path: Path, good: dict[str, bytes]) -> None:
    whole = write(tmp_path / "net.pt2", good).read_bytes()
    needed = [n for n in good if "version" in good or n.endswith(("model.json", "_config.json", "weight_0"))]
    damaged: list[dict[str, bytes]] = [{k: v for k, v in good.items() if k != name} for name in needed]
    damaged += [good | {described(good): text} for text in (b"", b"[]", b"{}", b"[" * 100_000, b"\xff")]
    if "version" in good:
        damaged += [good | {"version": text} for text in (b"", b"99.1", b"x")]
        damaged += [good | {"serialized_state_dict.pt": saved(value)} for value in ({}, [1], {"conv.weight": 3})]
    for content in damaged:
        with pytest.raises(OneSpikeError, match=r"net\.pt2"):
            use(write(tmp_path / "net.pt2", content))
    for data in (b"", b"PK", whole[:-30], whole[: len(whole) // 2]):
        (tmp_path / "net.pt2").write_bytes(data)
        with pytest.raises(ModelLoadError, match=r"net\.pt2"):
            use(tmp_path / "net.pt2")


def test_torchscript_and_tar_archives_as_weights(tmp_path: Path) -> None:
    """torch before 2.6 runs the first and extracts the second, although only weights are asked for."""
    import tarfile

    torch.jit.script(nn.Linear(2, 2)).save(str(tmp_path / "script.pt"))
    with tarfile.open(tmp_path / "tar.pt", "w") as archive:
        archive.add(tmp_path / "script.pt", "storages")
    for name, said in (("script.pt", "TorchScript"), ("tar.pt", "tar file")):
        with pytest.raises(ModelLoadError, match=rf"{said}.*only tensors are loaded"):
            load_weights(nn.Linear(2, 2), tmp_path / name)


def onnx_file(path: Path, name: str) -> Path:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnx2torch")
    value = onnx.helper.make_tensor_value_info
    node = onnx.helper.make_node("Relu", ["x"], ["y"], name=name)
    shape = [2, 1, 8, 8]
    graph = onnx.helper.make_graph([node], "g", [value("x", 1, shape)], [value("y", 1, shape)])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.save(model, path)
    return path


def test_names_of_onnx_nodes_are_no_source(tmp_path: Path) -> None:
    """onnx2torch writes the name of a node between quotes into a function that it compiles."""
    marker = tmp_path / "marker"
    call = f'getattr(__import__("os"), "mkdir")("{marker}")'
    use(onnx_file(tmp_path / "net.onnx", f'training") or {call} or getattr(self, "training'))
    assert not marker.exists()


def test_names_of_onnx_that_are_no_texts(tmp_path: Path) -> None:
    path = onnx_file(tmp_path / "net.onnx", "first_node")
    path.write_bytes(path.read_bytes().replace(b"first_node", b"first\xff\xfe\xfd\xfc\xfb"))
    with pytest.raises(ModelLoadError, match=r"net\.onnx: .*(UTF-8|not a valid ONNX file)"):
        load_model(str(path))


@pytest.mark.parametrize("location", ["../secret.bin", "link.bin", "fifo", "missing", "", "/etc/hostname"])
def test_external_weights_stay_in_the_folder(tmp_path: Path, location: str) -> None:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnx2torch")
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret.bin").write_bytes(np.ones(4, np.float32).tobytes())
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    os.mkfifo(folder / "fifo")
    weight = onnx.TensorProto(name="w", data_type=1, dims=[4], data_location=onnx.TensorProto.EXTERNAL)
    weight.external_data.add(key="location", value=location)
    value = onnx.helper.make_tensor_value_info
    node = onnx.helper.make_node("Add", ["x", "w"], ["y"])
    graph = onnx.helper.make_graph([node], "g", [value("x", 1, [2, 4])], [value("y", 1, [2, 4])], [weight])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)])
    (folder / "net.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ModelLoadError, match=r"net\.onnx.*regular files in its folder"):
        load_model(str(folder / "net.onnx"))
