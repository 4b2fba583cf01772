"""Programs that torch.export.save wrote, read without running anything that a crafted file brings along.

`torch.export.load` unpickles members of the archive, evaluates the expressions of dynamic sizes, looks operations up by
name, and generates Python source from the names of the graph. Therefore it never gets the file, but a new archive that
is written here of what these checks have passed:

    serialized_*.pt     tensors alone, loaded without pickled objects and saved again
    expressions         sums, products and quotients of sizes, with a few named functions
    operations          torch.ops.aten, and the arithmetic of sizes
    names               letters, digits and a few signs, none of which calls or quotes anything

Since release 2.8, torch.export.save writes an archive of another layout, below a folder: models/*.json, weights and
constants as plain bytes with a JSON description each, and Python source that checks inputs, which is left out.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch.export import ExportedProgram

from loihi_onespike.errors import ModelLoadError
from loihi_onespike.frontend.importers.tensor_archive import UnsafeArchiveError, load_tensors

PROGRAM = "serialized_exported_program.json"
MARK = "archive_format"
"""A member of the newer layout."""
TENSORS = ("serialized_state_dict.pt", "serialized_constants.pt", "serialized_example_inputs.pt")
"""The third is written since torch 2.4."""
REMEDY = "give the module itself as file.py:callable where you trust it, or an .onnx file"

_NAME = re.compile(r"[\w.:/ -]*")
_OPERATION = re.compile(
    r"torch\.ops\.aten\.(?!from_file\b)\w+\.\w+|torch\.sym_\w+|"
    r"_operator\.(add|sub|mul|floordiv|truediv|mod|neg|pow|getitem|eq|ne|l[te]|g[te])"
)
_SYMBOL = r"Symbol\('[su]\d+'(?:, (?:positive|nonnegative|integer|real)=(?:True|False))*\)"
_FUNCTION = "[su]\\d+|Integer|Add|Mul|Pow|Rational|Max|Min|Mod|FloorDiv|CleanDiv|floor|ceiling|oo"
_EXPRESSION = re.compile(rf"(?:{_SYMBOL}|(?:{_FUNCTION})\b|\d+|[-+*/(), <>=])*")
_RELEASE = re.compile(r"[\w.+<=]*")
_FILE = re.compile(r"(weight|tensor)_\d+")
_METADATA = ("stack_trace", "nn_module_stack")
"""What the front end reads of a node's origin; the rest is left out."""
_GUARDS = "guards_code"
"""Source that torch runs to check inputs."""
_DESCRIPTION = re.compile(
    rf"{PROGRAM}|models/[\w-]+\.json|data/(weights|constants)/[\w-]+_(weights|constants)_config\.json"
)
_TENSOR_FILE = re.compile("|".join([*map(re.escape, TENSORS), r"data/sample_inputs/[\w-]+\.pt"]))
_RAW = re.compile(r"data/(weights/weight|constants/tensor)_\d+")
_FACT = re.compile(r"archive_format|archive_version|byteorder|\.data/(version|serialization_id)")
_NOTES = ("extra_files/", "extra/")
"""Folders of the user's own notes, which are never read."""


def read_program(path: Path) -> ExportedProgram:
    """The program in a .pt2 file.

    Raises:
        ModelLoadError: the file is damaged, of another release of torch, or contains what could run as a program.
    """
    try:
        checked = _checked_archive(path)
        return torch.export.load(checked)
    except ModelLoadError:
        raise
    except Exception as error:  # zipfile's, json's, torch's and sympy's
        reason = f"{type(error).__name__}: {str(error)[:120]}"
        raise ModelLoadError(
            f"{path}: not a program that torch {torch.__version__} can read ({reason}); write it with "
            "torch.export.save of the same release, for torch 2.3 of a module that is no bare nn.Sequential"
        ) from error


def _checked_archive(path: Path) -> io.BytesIO:
    """A new archive of the members of the file that are known and harmless."""
    checked = io.BytesIO()
    with zipfile.ZipFile(path) as given, zipfile.ZipFile(checked, "w") as written:
        names = [member.filename for member in given.infolist()]
        if len(set(names)) < len(names):
            raise _refusal(path, "it has two members of one name")
        root = next((name.removesuffix(MARK) for name in names if re.fullmatch(rf"[\w.-]+/{MARK}", name)), "")
        for member in given.infolist():
            name = member.filename.removeprefix(root)
            if name.startswith(_NOTES):
                continue
            if member.compress_type != zipfile.ZIP_STORED:
                raise _refusal(path, f"its member {name!r} is compressed, which torch.export.save never does")
            content = given.read(member)
            if _DESCRIPTION.fullmatch(name):
                content = json.dumps(_checked_json(path, json.loads(content))).encode()
            elif _TENSOR_FILE.fullmatch(name):
                content = _only_tensors(path, name, content)
            elif not member.filename.startswith(root) or not (
                _FACT.fullmatch(name) or _RAW.fullmatch(name) if root else name == "version"
            ):
                raise _refusal(path, f"it has a member {name!r}, which torch.export.save does not write")
            written.writestr(root + name, content)
    checked.seek(0)
    return checked


def _only_tensors(path: Path, name: str, content: bytes) -> bytes:
    """A member of tensors, loaded without pickled objects and written anew."""
    if not content:
        return content
    try:
        loaded = load_tensors(content, zip_only=True)
    except UnsafeArchiveError as error:
        raise _refusal(path, f"its member {name!r} is not of tensors alone: {error}") from error
    saved = io.BytesIO()
    torch.save(loaded, saved)
    return saved.getvalue()


def _checked_json(path: Path, value: Any, key: str = "") -> Any:
    """A value of the description of the graph, without the metadata that is not needed."""
    if isinstance(value, dict):
        for name in value:
            _check(path, "name", name, _NAME)
        if key == "metadata":
            return {name: str(value[name]) for name in _METADATA if name in value}
        if value.get("use_pickle"):
            raise _refusal(path, "it has a pickled object")
        return {name: [] if name == _GUARDS else _checked_json(path, item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_checked_json(path, item, key) for item in value]
    if not isinstance(value, str) or key in ("as_string", "as_strings"):
        return value
    if key in ("in_spec", "out_spec", "context"):  # JSON inside of JSON
        _checked_json(path, json.loads(value))
    elif key == "expr_str":
        _check(path, "expression", value, _EXPRESSION)
    elif key == "torch_version":
        _check(path, "release", value, _RELEASE)
    elif key == "path_name":
        _check(path, "file", value, _FILE)
    elif key in ("target", "as_operator"):
        _check(path, "operation", value, _OPERATION)
    else:
        _check(path, "name", value, _NAME)
    return value


def _check(path: Path, kind: str, value: str, allowed: re.Pattern[str]) -> None:
    if not allowed.fullmatch(value):
        raise _refusal(path, f"its graph has the {kind} {value[:60]!r}")


def _refusal(path: Path, found: str) -> ModelLoadError:
    return ModelLoadError(
        f"{path}: must be a program of tensors and operations of torch.ops.aten, but {found}; {REMEDY}"
    )
