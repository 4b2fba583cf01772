"""Mutations of valid files: of their bytes, and of what lies inside a container whose checksums are then made right.

A mutation is a function of the bytes of valid files and of a random generator, so that a number repeats it.
"""

from __future__ import annotations

import contextlib
import copy
import io
import json
import random
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator, MutableSequence, Sequence
from typing import Any

import h5py
import numpy as np

from loihi_onespike.evaluation import fingerprint
from netx_export.storage import digest

EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1)
"""Numbers at which counts, sizes and offsets go wrong."""
WORDS = (
    "-1",
    "0",
    "1e999",
    "nan",
    "inf",
    "9" * 400,
    "2" * 5000,
    '"x"',
    "[]",
    "{}",
    "true",
    "null",
    "\ud800",
    "[" * 300,
)
"""Values that take the place of a number or a word of a text."""

Mutation = Callable[[Sequence[bytes], random.Random], bytes]


def mutate_bytes(files: Sequence[bytes], rng: random.Random) -> bytes:
    """One of the files with one to four of its places changed, cut, doubled, or joined with another file."""
    data = bytearray(rng.choice(files))
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        _change(data, files, rng)
    return bytes(data)


def _change(data: bytearray, files: Sequence[bytes], rng: random.Random) -> None:
    at = rng.randrange(len(data) + 1)
    length = min(rng.choice((1, 2, 4, 8, 64, 512)), len(data) - at)
    match rng.randrange(8):
        case 0:
            data[at : at + 1] = bytes([data[at] ^ 1 << rng.randrange(8)]) if at < len(data) else b""
        case 1:
            data[at : at + length] = rng.randbytes(length)
        case 2:
            del data[at:]
        case 3:
            del data[at : at + length]
        case 4:
            data[at:at] = data[at : at + length]
        case 5:
            data[at : at + length] = bytes(length)
        case 6:
            width = rng.choice((1, 2, 4, 8))
            number = rng.choice(EXTREMES) & (1 << 8 * width) - 1
            data[at : at + width] = number.to_bytes(width, rng.choice(("little", "big")))
        case _:
            other = rng.choice(files)
            data[at:] = other[rng.randrange(len(other) + 1) :]


def mutate_text(files: Sequence[bytes], rng: random.Random) -> bytes:
    """One of the files, a text, with words or lines exchanged, doubled or replaced by values of another kind."""
    lines = rng.choice(files).decode("utf-8", "replace").splitlines()
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(len(lines))
        match rng.randrange(5):
            case 0:
                lines[at] = rng.choice(lines)
            case 1:
                lines.insert(at, rng.choice(lines))
            case 2 if len(lines) > 1:
                del lines[at]
            case _:
                words = re.findall(r"[\w.+-]+", lines[at])
                if words:
                    lines[at] = lines[at].replace(rng.choice(words), rng.choice(WORDS), 1)
    return "\n".join(lines).encode("utf-8", "surrogatepass")


VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    2**31,
    2**64,
    10**400,
    0.5,
    float("nan"),
    float("inf"),
    "",
    "x" * 5000,
    "\ud800",
    [],
    {},
    [[]],
)
"""Values that take the place of one in a document."""


def mutate_json(files: Sequence[bytes], rng: random.Random) -> bytes:
    """One of the files, a JSON document, with one or two values replaced, missing, renamed or nested; digests right."""
    document = json.loads(rng.choice(files))
    for _ in range(rng.choice((1, 1, 2))):
        holder, key = rng.choice(list(_places(document)) or [(None, 0)])
        if holder is None:
            break
        match rng.randrange(6):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, dict):
                holder[rng.choice(("", "x", "\ud800", "__class__"))] = holder.pop(key)
            case 2:
                holder[key] = [holder[key]] * rng.choice((1, 2, 3))
            case 3:
                holder[key] = {"x": holder[key]}
            case _:
                holder[key] = copy.deepcopy(rng.choice(VALUES))
    if isinstance(document, dict) and "digest" in document:
        without = {name: value for name, value in document.items() if name != "digest"}
        with contextlib.suppress(ValueError):  # of what has no digest
            document["digest"] = fingerprint.digest(without)
    return json.dumps(document).encode()


def mutate_lines(files: Sequence[bytes], rng: random.Random) -> bytes:
    """One of the files, a JSON document in each line, with one of them mutated."""
    lines = rng.choice(files).splitlines()
    at = rng.randrange(len(lines))
    lines[at] = mutate_json([lines[at]], rng)
    return b"\n".join(lines) + b"\n"


def _places(value: object) -> Iterator[tuple[Any, Any]]:
    """All (holder, key) of a document."""
    if isinstance(value, dict | list):
        for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
            yield value, key
            yield from _places(inner)


def mutate_hdf5(files: Sequence[bytes], rng: random.Random) -> bytes:
    """One of the files of HDF5 with one or two data sets replaced by other values, types or shapes, or missing."""
    memory = io.BytesIO(rng.choice(files))
    with h5py.File(memory, "r+") as file:
        names: list[str] = []
        file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
        for name in rng.sample(sorted(names), rng.choice((1, 1, 2))):
            new = _other(np.asarray(file[name][()]), rng)
            del file[name]
            if rng.random() < 0.9:
                file.create_dataset(name, data=new)
    return memory.getvalue()


def mutate_archive(files: Sequence[bytes], rng: random.Random) -> bytes:
    """One of the zip archives, with a member mutated, missing, renamed or doubled; checksums are right."""
    archives = [data for data in files if zipfile.is_zipfile(io.BytesIO(data))]
    with zipfile.ZipFile(io.BytesIO(rng.choice(archives))) as archive:
        members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    at = rng.randrange(len(members))
    name, content = members[at]
    match rng.randrange(8):
        case 0:
            del members[at]
        case 1:
            members[at] = (rng.choice(("../x", "/x", "", "\0", "x" * 5000, members[0][0])), content)
        case 2:
            members.append((rng.choice(members)[0], content))
        case 3 | 4 if name.endswith(".json"):
            members[at] = (name, mutate_json([content], rng))
        case 3 | 4 if name.endswith(".npy"):
            members[at] = (name, _other_header(content, rng))
        case _:
            members[at] = (name, mutate_bytes([content or b"\0"], rng))
    made = io.BytesIO()
    with (
        warnings.catch_warnings(),
        zipfile.ZipFile(made, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive,
    ):
        warnings.simplefilter("ignore")  # two members of one name are meant
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content)
    return made.getvalue()


def _other_header(content: bytes, rng: random.Random) -> bytes:
    """An array of numpy with its header mutated as a text and the length of the header made right."""
    length = int.from_bytes(content[8:10], "little")
    header = mutate_text([content[10 : 10 + length].replace(b",", b",\n")], rng).replace(b"\n", b" ")
    return content[:8] + (len(header) % 2**16).to_bytes(2, "little") + header + content[10 + length :]


def mutate_onnx(files: Sequence[bytes], rng: random.Random) -> bytes:
    """One of the models with one or two values of its messages replaced, missing or doubled; the encoding is right."""
    import onnx

    model = onnx.ModelProto.FromString(rng.choice(files))
    for _ in range(rng.choice((1, 1, 2))):
        message, field = rng.choice([(m, f) for m in _messages(model) for f, _ in m.ListFields()] or [(model, None)])
        if field is None:
            break
        value = getattr(message, field.name)
        with contextlib.suppress(ValueError):  # of numbers that the field cannot hold
            if isinstance(value, MutableSequence):
                _change_list(value, rng)
            elif field.message_type or rng.random() < 0.2:
                message.ClearField(field.name)
            else:
                setattr(message, field.name, _other_value(value, rng))
    return model.SerializeToString()


def _messages(message: Any) -> Iterator[Any]:
    """A message of protobuf and all messages inside it."""
    yield message
    for field, value in message.ListFields():
        if field.message_type:
            for inner in value if isinstance(value, MutableSequence) else (value,):
                yield from _messages(inner)


def _change_list(values: MutableSequence[Any], rng: random.Random) -> None:
    at = rng.randrange(len(values))
    kept = [copy.deepcopy(value) for value in values]
    match rng.randrange(4):
        case 0:
            del kept[at]
        case 1:
            kept.insert(rng.randrange(len(kept) + 1), kept[at])
        case 2:
            rng.shuffle(kept)
        case _ if isinstance(kept[at], int | float | str | bytes):
            kept[at] = _other_value(kept[at], rng)
    del values[:]
    values.extend(kept)


def _other_value(value: Any, rng: random.Random) -> Any:
    """Another value of the same type, which protobuf can hold."""
    match value:
        case int():
            return rng.choice((-1, 0, 1, 2, 7, 11, 2**16, 2**31 - 1, value + 1, value - 1))
        case float():
            return rng.choice((0.0, -1.0, 1e-30, 1e30, float("inf"), float("nan")))
        case str():
            return rng.choice(("", "x", "x" * 5000, "Relu", "Gemm", "Loop", "\0", value[::-1]))
        case _:
            return mutate_bytes([value or b"\0"], rng)


def mutate_safetensors(files: Sequence[bytes], rng: random.Random) -> bytes:
    """One of the files with its JSON header mutated as a text and its length made right."""
    data = rng.choice(files)
    length = int.from_bytes(data[:8], "little")
    header = data[8 : 8 + length].replace(b",", b",\n")
    header = mutate_text([header], rng) if rng.random() < 0.7 else mutate_bytes([header], rng)
    return len(header).to_bytes(8, "little") + header + data[8 + length :]


def mutate_netx(files: Sequence[bytes], rng: random.Random) -> bytes:
    """One of the files with one or two fields replaced by other values, types or shapes; all digests are right."""
    memory = io.BytesIO(rng.choice(files))
    with h5py.File(memory, "r+") as file:
        names = json.loads(bytes(file["onespike/manifest"][()]))
        for _ in range(rng.choice((1, 1, 2))):
            name = rng.choice(sorted(names))
            holder, last = _holder(file, name)
            old = np.asarray(holder[last]) if last in holder else np.zeros(1)
            new = _other(old, rng)
            if isinstance(holder, h5py.AttributeManager):
                holder.create(last, new)
            else:
                del holder[last]
                holder.create_dataset(last, data=new)
            names[name] = digest(new)
        raw = np.frombuffer(json.dumps(names).encode(), np.uint8)
        del file["onespike/manifest"]
        file.create_dataset("onespike/manifest", data=raw)
        file["onespike"].attrs["manifest"] = np.bytes_(digest(raw))
    return memory.getvalue()


def _holder(file: h5py.File, name: str) -> tuple[h5py.Group | h5py.AttributeManager, str]:
    above, _, last = name.rpartition("/")
    group = file[above] if above else file
    return (group if last in group else group.attrs), last


def _other(old: np.ndarray, rng: random.Random) -> np.ndarray:
    if old.dtype.kind not in "iuf":
        texts = (b"", b"x" * 5000, b"relu", b"binary", b"{}", b"[" * 400, b"\xff\xfe", b'{"ann_macs": {"a": -1}}')
        return np.asarray(np.bytes_(rng.choice(texts)))
    new = np.array(old)
    match rng.randrange(7):
        case 0:
            return new.astype(rng.choice((np.int8, np.uint16, np.int64, np.float32, np.float64)))
        case 1:
            return new.reshape(-1)[: rng.randrange(new.size + 1)]
        case 2:
            return np.concatenate([new.reshape(-1), new.reshape(-1)])
        case 3:
            return new[..., None]
        case 4 if new.ndim > 1:
            return np.ascontiguousarray(new.swapaxes(0, -1))
        case _:
            flat = new.reshape(-1)
            if flat.size:
                with np.errstate(all="ignore"):
                    value = rng.choice((*EXTREMES, -1, -(2**31), 2**24, 3))
                    flat[rng.randrange(flat.size)] = (
                        np.array(value % 2**64, np.uint64).astype(np.int64).astype(new.dtype)
                    )
            return new
