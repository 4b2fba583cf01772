"""Storage of fields in an HDF5 file: compression, digests, no time stamps, and errors that name the field.

Metadata of the HDF5 1.10 format carries checksums of its own, and every field has a digest in the manifest, so that a
damaged byte is either detected or lies where nothing is stored. Small fields are part of the checksummed metadata;
large ones are shuffled and deflated in chunks. What may lie in a file, and how it is looked up without following a link
or reading what the file does not justify, is in `hdf5_access`.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import h5py
import numpy as np
from h5py import h5a, h5d, h5f, h5fd, h5g, h5p, h5s, h5t

from loihi_onespike.errors import FormatError
from loihi_onespike.regular_files import budget, objection
from netx_export.deflate import chunk_shape, chunks, restore
from netx_export.fields import check_field
from netx_export.foreign import foreign_neurons
from netx_export.hdf5_access import FILTERS, LIBRARY_ERRORS, Hdf5Access
from netx_export.layout import BEFORE_PAYLOADS, EXTENSION, FIELDS, FORMAT, MANIFEST, VERSION, pattern
from netx_export.manifest import checked_names, manifest_limit
from netx_export.values import Array, FieldMap

COMPACT_BYTES = 2048
"""Fields of up to this many bytes are stored in the object header."""


def digest(array: Array) -> str:
    """Digest of type, shape and values as 32 hexadecimal digits (BLAKE2b, 16 bytes)."""
    hasher = hashlib.blake2b(f"{array.dtype.str}{array.shape}".encode(), digest_size=16)
    hasher.update(np.ascontiguousarray(array).data.cast("B") if array.size else b"")
    return hasher.hexdigest()


def version_of(fields: FieldMap) -> int:
    """Version of a file with the given fields: the first that has all of them, and at least `BEFORE_PAYLOADS`.

    Args:
        fields: All fields, by path.
    """
    return max([BEFORE_PAYLOADS, *(FIELDS[pattern(name)].since for name in fields)])


def image(fields: FieldMap) -> bytes:
    """Bytes of a file with the given fields and their manifest. The same fields give the same bytes.

    The file is made in memory: HDF5 libraries before 2.0 can crash when the disk is full, and ordinary writing cannot.
    Fields that deflate better than a reader admits, such as hundreds of megabytes of zeros, are not deflated.

    Args:
        fields: All fields, by path.
    """
    packed = _image(fields, deflate=True)
    takes = 2 * sum(array.nbytes for array in fields.values())  # chunks at the border are padded
    return packed if takes <= budget(len(packed)) else _image(fields, deflate=False)


def _image(fields: FieldMap, deflate: bool) -> bytes:
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
                _create(_group(groups, above), last, array, deflate)
        manifest = json.dumps({name: digest(array) for name, array in fields.items()}).encode()
        _create(_group(groups, EXTENSION), MANIFEST.rpartition("/")[2], np.frombuffer(manifest, np.uint8), deflate)
        marks = file[EXTENSION].attrs
        marks["format"], marks["version"] = np.bytes_(FORMAT), np.int64(version_of(fields))
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


def _create(group: h5g.GroupID, name: str, array: Array, deflate: bool) -> None:
    plist = h5p.create(h5p.DATASET_CREATE)
    plist.set_obj_track_times(False)
    if array.nbytes <= COMPACT_BYTES:
        plist.set_layout(h5d.COMPACT)
    elif array.ndim and deflate:
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
        FormatError: the file is damaged, truncated, foreign, of a newer version, no regular file, or asks for more
            memory than a file of its size justifies.
        OSError: the file is missing or not readable.
    """
    if against := objection(path):
        raise FormatError(os.fspath(path), against)
    try:
        file = h5py.File(path, "r")
    except LIBRARY_ERRORS as error:
        message = f"is not an HDF5 file, or is truncated or damaged ({error}); `onespike convert` writes one"
        raise FormatError(os.fspath(path), message) from error
    with file:
        with _naming(EXTENSION):
            access = Hdf5Access(file, os.path.getsize(path))
            version = _version(access)
        with _naming(MANIFEST):
            names = _manifest(access)
        _check_fields_of(version, names)
        return {name: _checked(access, name, value) for name, value in names.items()}


def _version(access: Hdf5Access) -> int:
    """The version that a file states, after a check of its format."""
    if access.group(EXTENSION) is None:
        kinds = foreign_neurons(access)
        if kinds:
            raise FormatError(
                "layer/*/neuron/type",
                f"found {', '.join(kinds)}: a NetX file of other neurons; load it with lava.lib.dl.netx.hdf5.Network",
            )
        raise FormatError(EXTENSION, "is missing; this HDF5 file is not a one-spike network (write one with net.save)")
    found = _mark(access, "format")
    if found != FORMAT.encode():
        raise FormatError(f"{EXTENSION}@format", f"must be {FORMAT!r}, got {found!r}")
    version = _mark(access, "version")
    if not isinstance(version, int) or version < 1:
        raise FormatError(f"{EXTENSION}@version", f"must be in 1..{VERSION}, got {version!r}")
    if version > VERSION:
        raise FormatError(
            f"{EXTENSION}@version",
            f"must be in 1..{VERSION} for this release, got version {version}; upgrade loihi-onespike to read the file",
        )
    return int(version)


def _check_fields_of(version: int, names: Iterable[str]) -> None:
    """Refuse fields that the stated version does not have: an older reader would take the file for another network."""
    for name in names:
        field = FIELDS.get(pattern(name))
        if field is not None and field.since > version:
            raise FormatError(name, f"requires version {field.since} of the format, the file states version {version}")


def _mark(access: Hdf5Access, name: str) -> object:
    """A number or a text that says what the file is; None where it is missing."""
    with _naming(f"{EXTENSION}@{name}"):
        try:
            found = _attribute_value(access.attribute(f"{EXTENSION}/{name}"))
        except FormatError as error:
            raise FormatError(f"{EXTENSION}@{name}", str(error).partition(": ")[2]) from error
    return found.ravel()[0].item() if found.size == 1 else found.tolist()[:1]


def _manifest(access: Hdf5Access) -> dict[str, str]:
    data = access.dataset(MANIFEST)
    if data.dtype != np.uint8 or data.ndim != 1:
        raise FormatError(MANIFEST, "is not a list of bytes; the file is damaged")
    limit = manifest_limit(access.file_bytes)
    if data.nbytes > limit:
        raise FormatError(MANIFEST, f"requires {data.nbytes} bytes, limit {limit} for a file of this size")
    raw = _values(MANIFEST, data)
    marked = _mark(access, "manifest")
    if not isinstance(marked, bytes) or marked.decode("ascii", "replace") != digest(raw):
        raise FormatError(MANIFEST, "does not match its digest; the file is damaged")
    return checked_names(raw.tobytes())


def _checked(access: Hdf5Access, name: str, value: str) -> Array:
    with _naming(name):
        if FIELDS[pattern(name)].attribute:
            kept = access.attribute(name)
            check_field(name, kept.dtype, len(kept.shape))
            array = _attribute_value(kept)
        else:
            data = access.dataset(name)
            check_field(name, data.dtype, data.ndim)
            array = _values(name, data)
        if digest(array) != value:
            raise FormatError(name, "does not match its digest; the file is damaged or was edited")
        return array


def _attribute_value(kept: h5a.AttrID) -> Array:
    array = np.zeros(kept.shape, kept.dtype)
    kept.read(array)
    return array


def _values(name: str, data: h5py.Dataset) -> Array:
    """The values of a data set.

    Chunks with filters are restored here and not by HDF5, whose deflate filter inflates all that a stream holds.
    """
    plist = data.id.get_create_plist()
    filters = [FILTERS[plist.get_filter(i)[0]] for i in range(plist.get_nfilters())]
    if not filters:
        return np.asarray(data[()], dtype=data.dtype)
    if not data.id.get_type().equal(h5t.py_create(data.dtype, logical=True)):
        raise FormatError(name, f"must be stored as {data.dtype} is in memory, got a variant of it")
    whole, size = np.empty(data.shape, data.dtype), data.chunks
    for offset in itertools.product(*(range(0, n, c) for n, c in zip(data.shape, size, strict=True))):
        skipped, stored = data.id.read_direct_chunk(offset)
        used = [kind for place, kind in enumerate(filters) if not skipped >> place & 1]
        restore(stored, used, size, whole[tuple(slice(o, o + c) for o, c in zip(offset, size, strict=True))])
    return whole
