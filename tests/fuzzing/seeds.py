"""Valid files of every kind, from which mutations start, with the readers of each kind."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from netx_export.encode import encode
from netx_export.storage import image
from tests.fuzzing import handed_files as handed
from tests.fuzzing.mutations import (
    Mutation,
    mutate_archive,
    mutate_bytes,
    mutate_hdf5,
    mutate_json,
    mutate_lines,
    mutate_netx,
    mutate_onnx,
    mutate_safetensors,
    mutate_text,
)
from tests.support.networks import chain, digits, dips, graph, levels, nodes, payload, products, sides


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        suffix: ending of its name.
        files: makes some valid ones.
        mutations: how they are changed.
        read: what the toolkit does with a file of this kind.
        megabytes: memory that reading a small file may take.
        weight: share in a run over all kinds; less for slow readers.
    """

    suffix: str
    files: Callable[[], tuple[bytes, ...]]
    mutations: tuple[Mutation, ...]
    read: Callable[[Path], object]
    megabytes: int
    weight: int


def _netx_files() -> tuple[bytes, ...]:
    makers = (chain, graph, nodes, levels, digits, payload, dips, products, sides)
    return tuple(image(encode(maker())) for maker in makers)


def _read_netx(path: Path) -> object:
    import netx_export

    return netx_export.read(path)


def _npz_files() -> tuple[bytes, ...]:
    rng = np.random.default_rng(0)
    x, y = rng.random((12, 1, 3, 3)).astype(np.float32), rng.integers(0, 3, 12)
    files = []
    for save in (np.savez, np.savez_compressed):
        file = io.BytesIO()
        save(file, x=x, y=y)
        files.append(file.getvalue())
    return tuple(files)


def _read_npz(path: Path) -> object:
    from loihi_onespike.data import load_data

    return load_data(str(path), calibration_images=2)


def _model() -> Any:
    import torch
    from torch import nn

    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(32, 3))


def _read_weights(path: Path) -> object:
    from loihi_onespike.models.weights import load_weights

    return load_weights(_model(), path)


def _pt_files() -> tuple[bytes, ...]:
    import torch

    zipped, legacy = io.BytesIO(), io.BytesIO()
    torch.save(_model().state_dict(), zipped)
    torch.save(_model().state_dict(), legacy, _use_new_zipfile_serialization=False)
    return zipped.getvalue(), legacy.getvalue()


def _safetensors_files() -> tuple[bytes, ...]:
    from safetensors.torch import save

    return (save(_model().state_dict()),)


def _pt2_files() -> tuple[bytes, ...]:
    import torch

    class Wrapped(torch.nn.Module):  # torch 2.3 cannot read the program of a bare nn.Sequential again
        def __init__(self) -> None:
            super().__init__()
            self.layers = _model()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            result: torch.Tensor = self.layers(x)
            return result

    file = io.BytesIO()
    torch.export.save(torch.export.export(Wrapped().eval(), (torch.zeros(1, 1, 4, 4),)), file)
    return (file.getvalue(),)


def _onnx_files() -> tuple[bytes, ...]:
    import torch
    from torch import nn

    deeper = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Sigmoid(), nn.MaxPool2d(2), nn.Conv2d(4, 4, 1, groups=2),
        nn.Hardtanh(0.0, 6.0), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(4, 3), nn.Softmax(1),
    )  # fmt: skip
    files = []
    for model in (_model(), deeper):
        file = io.BytesIO()
        torch.onnx.export(model.eval(), (torch.zeros(1, 1, 4, 4),), file)
        files.append(file.getvalue())
    return tuple(files)


def _read_model(path: Path) -> object:
    import torch

    from loihi_onespike.frontend.importer import trace

    return trace(path, torch.linspace(0, 1, 32).reshape(2, 1, 4, 4))


def _board_files() -> tuple[bytes, ...]:
    from importlib.resources import files

    folder = files("hw_configs")
    return tuple(p.read_bytes() for p in folder.iterdir() if p.name.endswith(".toml"))


def _read_board(path: Path) -> object:
    from loihi_onespike.boards.specification import load_board

    return load_board(path)


KINDS: Mapping[str, Kind] = {
    "netx": Kind(".h5", cache(_netx_files), (mutate_bytes, mutate_netx, mutate_netx), _read_netx, 200, 3),
    "npz": Kind(".npz", cache(_npz_files), (mutate_bytes, mutate_archive), _read_npz, 200, 4),
    "safetensors": Kind(
        ".safetensors", cache(_safetensors_files), (mutate_bytes, mutate_safetensors), _read_weights, 200, 2
    ),
    "pt": Kind(".pt", cache(_pt_files), (mutate_bytes, mutate_archive), _read_weights, 300, 3),
    "pt2": Kind(".pt2", cache(_pt2_files), (mutate_archive, mutate_bytes), _read_model, 600, 1),
    "onnx": Kind(".onnx", cache(_onnx_files), (mutate_onnx, mutate_bytes), _read_model, 600, 2),
    "toml": Kind(".toml", cache(_board_files), (mutate_text, mutate_bytes), _read_board, 200, 2),
    "trace": Kind(".json", cache(handed.trace_files), (mutate_json, mutate_bytes), handed.read_trace, 200, 1),
    "front": Kind(".json", cache(handed.front_files), (mutate_json, mutate_text), handed.read_front, 200, 2),
    "study": Kind(".journal", cache(handed.study_files), (mutate_lines, mutate_bytes), handed.read_front, 200, 1),
    "config": Kind(".toml", cache(handed.config_files), (mutate_text, mutate_bytes), handed.read_config, 200, 2),
    "part": Kind(".json", cache(handed.part_files), (mutate_json, mutate_bytes), handed.read_part, 200, 2),
    "run": Kind(".json", cache(handed.run_files), (mutate_json, mutate_bytes), handed.read_run, 200, 2),
    "report": Kind(".json", cache(handed.report_files), (mutate_json, mutate_text), handed.read_report, 200, 2),
    "nir": Kind(".nir", cache(handed.nir_files), (mutate_hdf5, mutate_bytes), handed.read_nir, 600, 1),
}
