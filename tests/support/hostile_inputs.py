"""Hostile .npz files, weights and board files, each with the name of its reader and words of the error that it gets."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

ZEROS = bytes(2**20)


def _npy(header: str, data: bytes = b"", version: tuple[int, int] = (1, 0), length: int | None = None) -> bytes:
    raw = header.encode("latin1") + b"\n"
    count = len(raw) if length is None else length
    return b"\x93NUMPY" + bytes(version) + count.to_bytes(2 if version == (1, 0) else 4, "little") + raw + data


def _header(shape: str, kind: str = "'<f4'") -> str:
    return f"{{'descr': {kind}, 'fortran_order': False, 'shape': {shape}}}"


def _npz(path: Path, x: bytes, compression: int = zipfile.ZIP_STORED) -> None:
    labels = io.BytesIO()
    np.save(labels, np.zeros(2, np.int64))
    with zipfile.ZipFile(path, "w", compression, compresslevel=9) as archive:
        archive.writestr("x.npy", x)
        archive.writestr("y.npy", labels.getvalue())


def _npz_bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("x.npy", "w", force_zip64=True) as member:
            member.write(_npy(_header(f"({2**7}, {2**20})")))
            for _ in range(2**9):
                member.write(ZEROS)
        archive.writestr("y.npy", b"")


def _lies_about_its_size(path: Path) -> None:
    """A member that inflates to more than the archive declares."""
    _npz(path, _npy(_header("(2, 4)"), bytes(2**22)), zipfile.ZIP_DEFLATED)
    data = path.read_bytes()
    size = len(_npy(_header("(2, 4)"), bytes(2**22)))
    wrong = len(_npy(_header("(2, 4)"), bytes(32)))
    path.write_bytes(data.replace(size.to_bytes(4, "little"), wrong.to_bytes(4, "little")))


def _torch_bomb(path: Path) -> None:
    torch.save({"0.weight": torch.zeros(2**26), "0.bias": torch.zeros(3)}, path.with_suffix(".large"))
    with zipfile.ZipFile(path.with_suffix(".large")) as large, zipfile.ZipFile(path, "w", 8, compresslevel=1) as small:
        for name in large.namelist():
            small.writestr(name, large.read(name))
    path.with_suffix(".large").unlink()


def _weights(weight: object) -> Callable[[Path], None]:
    return lambda path: torch.save({"0.weight": weight, "0.bias": torch.zeros(3)}, path)


def _of_itself(path: Path) -> None:
    checkpoint: dict[str, object] = {"epoch": 1}
    checkpoint["model"] = checkpoint
    torch.save(checkpoint, path)


def _pickled(value: object) -> Callable[[Path], None]:
    return lambda path: _write(path, pickle.dumps(value))


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _text(text: str) -> Callable[[Path], None]:
    return lambda path: _write(path, text.encode("utf-8", "surrogatepass"))


def _array(header: str, data: bytes = bytes(32), **options: object) -> Callable[[Path], None]:
    return lambda path: _npz(path, _npy(header, data, **options))  # type: ignore[arg-type]


LFS = _text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
INPUTS: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "huge_shape.npz": ("npz", _array(_header("(1099511627776, 4)")), "x: claims"),
    "huge_axes.npz": ("npz", _array(_header(f"({10**30}, {10**30})")), "x: claims"),
    "negative_shape.npz": ("npz", _array(_header("(-2, -4)")), "must have axes"),
    "huge_item.npz": ("npz", _array(_header("(2,)", "('<f4', (1000, 1000))")), ""),
    "objects.npz": ("npz", _array(_header("(2, 4)", "'|O'")), "never pickled objects"),
    "no_header.npz": ("npz", _array(""), "not a readable .npz file"),
    "deep_header.npz": ("npz", _array("(" * 4000 + ")" * 4000), "not a readable .npz file"),
    "long_header.npz": ("npz", _array("{", version=(2, 0), length=2**31), "not a readable .npz file"),
    "text_header.npz": ("npz", _array("{'descr': '<f4', 'shape': (2, 4), 'fortran_order': 'no'}"), "not a readable"),
    "short.npz": ("npz", _array(_header("(2, 5)")), "x: claims 40 bytes"),
    "bomb.npz": ("npz", _npz_bomb, "write it without compression, with numpy.savez"),
    "lies.npz": ("npz", _lies_about_its_size, "not a readable .npz file"),
    "lzma.npz": ("npz", lambda p: _npz(p, _npy(_header("(2, 4)"), bytes(32)), zipfile.ZIP_LZMA), "stored or deflated"),
    "pipe.npz": ("npz", os.mkfifo, "got a named pipe (FIFO)"),
    "pointer.npz": ("npz", LFS, "git lfs pull"),
    "text.npz": ("npz", _text("hello"), "not a readable .npz file"),
    "sparse.pt": ("weights", _weights(torch.zeros(3, 4).to_sparse()), "0.weight: must be a dense tensor"),
    "csr.pt": ("weights", _weights(torch.zeros(3, 4).to_sparse_csr()), "0.weight: must be a dense tensor"),
    "meta.pt": ("weights", _weights(torch.zeros(3, 4, device="meta")), "a meta tensor"),
    "complex.pt": ("weights", _weights(torch.zeros(3, 4, dtype=torch.complex64)), "complex numbers"),
    "quantized.pt": (
        "weights",
        _weights(torch.quantize_per_tensor(torch.zeros(3, 4), 0.1, 0, torch.qint8)),
        "quantized",
    ),
    "itself.pt": ("weights", _of_itself, "must be a state_dict"),
    "bomb.pt": ("weights", _torch_bomb, "save it again with torch.save"),
    "surrogate.pt": ("weights", lambda p: torch.save({"\ud800": torch.zeros(2)}, p), "unexpected 1"),
    "pickle.pt": ("weights", _pickled(os.getcwd), "only tensors are loaded"),
    "list.pt": ("weights", _pickled([1] * 5), ""),
    "empty.pt": ("weights", _text(""), ""),
    "pipe.pt": ("weights", os.mkfifo, "got a named pipe (FIFO)"),
    "pointer.pt": ("weights", LFS, "git lfs pull"),
    "pointer.safetensors": ("weights", LFS, "git lfs pull"),
    "pipe.safetensors": ("weights", os.mkfifo, "got a named pipe (FIFO)"),
    "header.safetensors": ("weights", lambda p: _write(p, b"\xff" * 64), "not a readable safetensors file"),
    "deep_list.toml": ("board", _text("a = " + "[" * 900 + "]" * 900), "cannot be used"),
    "very_deep_list.toml": ("board", _text("a = " + "[" * 100_000 + "]" * 100_000), "at most 5000 tables"),
    "deep_table.toml": ("board", _text("[" + "a." * 4000 + "a]\nb = 1"), "board files"),
    "deep_keys.toml": ("board", _text("a." * 100_000 + "a = 1"), "at most 5000 tables"),
    "digits.toml": ("board", _text("name = " + "7" * 5000), "cannot be used"),
    "long_chip.toml": ("board", _text('chip = "' + "c" * 5000 + '.toml"'), "(5005 characters)"),
    "zero_chip.toml": ("board", _text('chip = "a\\u0000b.toml"'), "chip: must be one of"),
    "long_key.toml": ("board", _text("k" * 5000 + " = 1"), "is not a key of these files"),
    "long.toml": ("board", _text("# " + "c" * 2**19), "at most 262144 bytes"),
    "pipe.toml": ("board", os.mkfifo, "got a named pipe (FIFO)"),
    "pointer.toml": ("board", LFS, "git lfs pull"),
}
