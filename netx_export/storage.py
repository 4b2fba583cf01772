"""Storage of fields in an HDF5 file: compression, digests, no time stamps, and errors that name the field.

Metadata of the HDF5 1.10 format carries checksums of its own, and every field has a digest in the manifest, so that a
damaged byte is either detected or lies where nothing is stored. Small fields are part of the checksummed metadata;
large ones are shuffled and deflated in chunks.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import h5py
import numpy as np
from h5py import h5d, h5f, h5fd, h5g, h5p, h5s, h5t

from loihi_onespike.errors import FormatError
from netx_export.deflate import chunk_shape, chunks
from netx_export.fields import MAX_TEXT_BYTES, check_field
from netx_export.layout import EXTENSION, FIELDS, FORMAT, MANIFEST, VERSION, pattern
from netx_export.values import Array, FieldMap

COMPACT_BYTES = 2048
"""Fields of up to this many bytes are stored in the object header."""
MAX_DEFLATE_RATIO = 1100
"""Best ratio that deflate reaches; a larger one means a damaged or hostile shape, refused before memory is reserved."""
LIBRARY_ERRORS = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, OverflowError, SystemError,
                  MemoryError, zlib.error)  # fmt: skip
"""Exceptions that h5py raises on damaged files."""


def digest(array: Array) -> str:
    """Digest of type, shape and values as 32 hexadecimal digits (BLAKE2b, 16 bytes)."""
    hasher = hashlib.blake2b(f"{array.dtype.str}{array.shape}".encode(), digest_size=16)
    hasher.update(np.ascontiguousarray(array).data.cast("B") if array.size else b"")
    return hasher.hexdigest()


def image(fields: FieldMap) -> bytes:
    """Bytes of a file with the given fields and their manifest. The same fields give the same bytes.

    The file is made in memory: HDF5 libraries before 2.0 can crash when the disk is full, and ordinary writing cannot.

    Args:
        fields: All fields, by path.
    """
    access = h5p.create(h5p.FILE_ACCESS)
    access.set_libver_bounds(h5f.LIBVER_V110, h5f.LIBVER_V110)
    memory = io.BytesIO()
    access.set_fileobj_driver(h5fd.fileobj_driver, memory)
    creation = h5p.create(h5p.FILE_CREATE)
    creation.set_obj_track_times(False)
    with h5py.File(h5f.create(b"network", h5f.ACC_TRUNC, creation, access)) as file:
        groups: dict[str, h5g.GroupID] = {"": file["/"].id}
        for name, array in fields.items():
            above, _, last = name.rpartition("/")
            if FIELDS[pattern(name)].attribute:
                h5py.AttributeManager(h5py.Group(_group(groups, above))).create(last, array)
            else:
                _create(_group(groups, above), last, array)
        manifest = json.dumps({name: digest(array) for name, array in fields.items()}).encode()
        _create(_group(groups, EXTENSION), MANIFEST.rpartition("/")[2], np.frombuffer(manifest, np.uint8))
        marks = file[EXTENSION].attrs
        marks["format"], marks["version"] = np.bytes_(FORMAT), np.int64(VERSION)
        marks["manifest"] = np.bytes_(digest(np.frombuffer(manifest, np.uint8)))
    return memory.getvalue()


def _group(groups: dict[str, h5g.GroupID], name: str) -> h5g.GroupID:
    if name not in groups:
        above, _, last = name.rpartition("/")
        plist = h5p.create(h5p.GROUP_CREATE)
        plist.set_obj_track_times(False)
        plist.set_attr_phase_change(64, 32)  # keep attributes in the checksummed header of the group
        groups[name] = h5g.create(_group(groups, above), last.encode(), gcpl=plist)
    return groups[name]


def _create(group: h5g.GroupID, name: str, array: Array) -> None:
    plist = h5p.create(h5p.DATASET_CREATE)
    plist.set_obj_track_times(False)
    if array.nbytes <= COMPACT_BYTES:
        plist.set_layout(h5d.COMPACT)
    elif array.ndim:
        plist.set_chunk(chunk_shape(array.shape))
        plist.set_shuffle()
        plist.set_deflate(1)
    space = h5s.create_simple(array.shape) if array.ndim else h5s.create(h5s.SCALAR)
    data = h5d.create(group, name.encode(), h5t.py_create(array.dtype, logical=True), space, plist)
    if plist.get_layout() == h5d.CHUNKED:
        for offset, chunk in chunks(array):
            data.write_direct_chunk(offset, chunk)
    elif array.size:
        data.write(h5s.ALL, h5s.ALL, np.ascontiguousarray(array).reshape(array.shape))


@contextmanager
def _naming(field: str) -> Iterator[None]:
    """Errors of the HDF5 library become errors about a field."""
    try:
        yield
    except LIBRARY_ERRORS as error:
        raise FormatError(field, f"cannot be read, the file is damaged ({type(error).__name__}: {error})") from error


def load(path: str | os.PathLike[str]) -> FieldMap:
    """Read every field that the manifest lists, and check it against its digest.

    Args:
        path: Path of the file.

    Returns:
        All fields, by path.

    Raises:
        FormatError: the file is damaged, truncated, foreign or of a newer version.
        OSError: the file is missing or not readable.
    """
    with open(path, "rb"):
        pass  # a missing or unreadable file is the caller's affair, not a damaged file
    try:
        file = h5py.File(path, "r")
    except LIBRARY_ERRORS as error:
        raise FormatError(os.fspath(path), f"is not an HDF5 file, or is truncated or damaged ({error})") from error
    with file:
        with _naming(EXTENSION):
            _check_format(file)
        with _naming(MANIFEST):
            names = _manifest(file)
        size = os.path.getsize(path)
        return {name: _checked(file, name, value, size) for name, value in names.items()}


def _check_format(file: h5py.File) -> None:
    group = file.get(EXTENSION)
    if not isinstance(group, h5py.Group):
        kinds = _foreign_neurons(file)
        if kinds:
            raise FormatError(
                "layer/*/neuron/type",
                f"found {', '.join(kinds)}: a NetX file of other neurons; load it with lava.lib.dl.netx.hdf5.Network",
            )
        raise FormatError(EXTENSION, "is missing; this HDF5 file is not a one-spike network (write one with net.save)")
    if bytes(group.attrs.get("format", b"")) != FORMAT.encode():
        raise FormatError(f"{EXTENSION}@format", f"must be {FORMAT!r}, got {group.attrs.get('format')!r}")
    version = group.attrs.get("version")
    if not isinstance(version, (int, np.integer)) or version < 1:
        raise FormatError(f"{EXTENSION}@version", f"must be in 1..{VERSION}, got {version!r}")
    if version > VERSION:
        raise FormatError(
            f"{EXTENSION}@version",
            f"must be in 1..{VERSION} for this release, got version {version}; upgrade loihi-onespike to read the file",
        )


def _foreign_neurons(file: h5py.File) -> list[str]:
    layers = file.get("layer")
    if not isinstance(layers, h5py.Group):
        return []
    kinds = set()
    for layer in layers.values():
        kind = layer.get("neuron/type") if isinstance(layer, h5py.Group) else None
        if isinstance(kind, h5py.Dataset) and kind.size == 1:
            kinds.add(np.ravel(kind.asstr("ascii", "replace")[()])[0])
    return sorted(kinds) or ["no neurons"]


def _manifest(file: h5py.File) -> dict[str, str]:
    data = file[MANIFEST]
    if not isinstance(data, h5py.Dataset) or data.dtype != np.uint8 or data.ndim != 1:
        raise FormatError(MANIFEST, "is not a list of bytes; the file is damaged")
    _check_size(data, MANIFEST, MAX_TEXT_BYTES)
    raw = data[()]
    if bytes(file[EXTENSION].attrs.get("manifest", b"")).decode("ascii", "replace") != digest(raw):
        raise FormatError(MANIFEST, "does not match its digest; the file is damaged")
    names = json.loads(raw.tobytes())
    if not isinstance(names, dict):
        raise FormatError(MANIFEST, "is not a JSON object; the file is damaged")
    return names


def _check_size(data: h5py.Dataset, name: str, file_bytes: int) -> None:
    stored = data.id.get_storage_size()
    if stored > file_bytes or data.nbytes > MAX_DEFLATE_RATIO * stored + COMPACT_BYTES:
        raise FormatError(name, f"claims {data.nbytes} bytes, {stored} are stored; the file is damaged")


def _checked(file: h5py.File, name: str, value: str, file_bytes: int) -> Array:
    with _naming(name):
        if (field := FIELDS.get(pattern(name))) and field.attribute:
            array = _attribute(file, name)
        else:
            data = file.get(name)
            if not isinstance(data, h5py.Dataset):
                raise FormatError(name, "is missing; the file is damaged or was edited")
            check_field(name, data.dtype, data.ndim)
            _check_size(data, name, file_bytes)
            array = np.asarray(data[()], dtype=data.dtype)
        if digest(array) != value:
            raise FormatError(name, "does not match its digest; the file is damaged or was edited")
        return array


def _attribute(file: h5py.File, name: str) -> Array:
    above, _, last = name.rpartition("/")
    group = file.get(above)
    if not isinstance(group, h5py.Group) or last not in group.attrs:
        raise FormatError(name, "is missing; the file is damaged or was edited")
    kept = group.attrs.get_id(last)
    check_field(name, kept.dtype, len(kept.shape))
    return np.asarray(group.attrs[last], dtype=kept.dtype)
