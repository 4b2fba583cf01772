"""Files that are made to crash, stall or flood a reader, or to make it read something outside of them.

Digests do not help: whoever writes a file can write them too. Where the size is what is hostile they are left wrong.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import h5py
import numpy as np
from h5py import h5d, h5p, h5s, h5t

from netx_export.encode import encode
from netx_export.storage import digest, image
from netx_export.values import Array, text
from tests.support.networks import chain, graph

WEIGHT = "layer/1/weight"
Change = Callable[[h5py.File], None]
CASES: dict[str, Callable[[Path], None]] = {}


def _case(function: Callable[[Path], None]) -> Callable[[Path], None]:
    CASES[function.__name__.strip("_")] = function
    return function


def _good(path: Path) -> None:
    path.write_bytes(image(encode(graph())))


def sign(path: Path, digests: dict[str, str]) -> None:
    """Write a manifest with other digests for some fields."""
    with h5py.File(path, "r+") as file:
        names = json.loads(bytes(file["onespike/manifest"][()])) | digests
        manifest(file, json.dumps(names).encode())


def manifest(file: h5py.File, raw: bytes) -> None:
    """Replace the manifest by bytes, deflated, with their digest."""
    del file["onespike/manifest"]
    data = np.frombuffer(raw, np.uint8)
    file.create_dataset("onespike/manifest", data=data, chunks=data.shape, compression="gzip", compression_opts=4)
    file["onespike"].attrs["manifest"] = np.bytes_(digest(data))


def _instead(path: Path, put: Callable[[h5py.File, Array], None], name: str = WEIGHT) -> None:
    """A good file with something else in the place of a data set, whose digest stays right."""
    _good(path)
    with h5py.File(path, "r+") as file:
        old = file[name][()]
        del file[name]
        put(file, old)


@_case
def _virtual_on_itself(path: Path) -> None:
    def put(file: h5py.File, old: Array) -> None:
        layout = h5py.VirtualLayout(old.shape, old.dtype)
        layout[...] = h5py.VirtualSource(".", WEIGHT, old.shape)
        file.create_virtual_dataset(WEIGHT, layout)

    _instead(path, put)


@_case
def _virtual_on_each_other(path: Path) -> None:
    def put(file: h5py.File, old: Array) -> None:
        for name, other in ((WEIGHT, "other"), ("other", WEIGHT)):
            layout = h5py.VirtualLayout(old.shape, old.dtype)
            layout[...] = h5py.VirtualSource(".", other, old.shape)
            file.create_virtual_dataset(name, layout)

    _instead(path, put)


@_case
def _virtual_on_a_pipe(path: Path) -> None:
    os.mkfifo(path.with_suffix(".virtual"))

    def put(file: h5py.File, old: Array) -> None:
        layout = h5py.VirtualLayout(old.shape, old.dtype)
        layout[...] = h5py.VirtualSource(path.with_suffix(".virtual"), "w", old.shape)
        file.create_virtual_dataset(WEIGHT, layout)

    _instead(path, put)


def _external(path: Path, file: h5py.File, old: Array, source: Path) -> None:
    file.create_dataset(WEIGHT, old.shape, old.dtype, external=[(str(source), 0, h5py.h5f.UNLIMITED)])


@_case
def _external_storage(path: Path) -> None:
    """The weights lie in another file, and are right."""

    def put(file: h5py.File, old: Array) -> None:
        path.with_suffix(".raw").write_bytes(old.tobytes())
        _external(path, file, old, path.with_suffix(".raw"))

    _instead(path, put)


@_case
def _external_storage_in_a_pipe(path: Path) -> None:
    os.mkfifo(path.with_suffix(".raw"))
    _instead(path, lambda file, old: _external(path, file, old, path.with_suffix(".raw")))


@_case
def _external_storage_in_a_device(path: Path) -> None:
    def put(file: h5py.File, old: Array) -> None:
        _external(path, file, old, Path("/dev/zero"))

    _instead(path, put)
    with h5py.File(path) as file:
        shape = file[WEIGHT].shape
    sign(path, {WEIGHT: digest(np.zeros(shape, "<i2"))})


@_case
def _external_link(path: Path) -> None:
    def put(file: h5py.File, old: Array) -> None:
        with h5py.File(path.with_suffix(".other"), "w") as other:
            other["w"] = old
        file[WEIGHT] = h5py.ExternalLink(path.with_suffix(".other").name, "w")

    _instead(path, put)


@_case
def _external_link_to_a_pipe(path: Path) -> None:
    os.mkfifo(path.with_suffix(".pipe"))

    def put(file: h5py.File, old: Array) -> None:
        file[WEIGHT] = h5py.ExternalLink(path.with_suffix(".pipe").name, "w")

    _instead(path, put)


@_case
def _external_link_instead_of_a_layer(path: Path) -> None:
    _good(path)
    with h5py.File(path.with_suffix(".other"), "w") as other, h5py.File(path, "r+") as file:
        file.copy("layer/1", other)
        del file["layer/1"]
        file["layer/1"] = h5py.ExternalLink(path.with_suffix(".other").name, "1")


@_case
def _foreign_neurons_behind_a_pipe(path: Path) -> None:
    """A file of other neurons, whose kinds are looked up for the message."""
    os.mkfifo(path.with_suffix(".pipe"))
    with h5py.File(path, "w") as file:
        file["layer/0/neuron/type"] = h5py.ExternalLink(path.with_suffix(".pipe").name, "w")


@_case
def _soft_link(path: Path) -> None:
    def put(file: h5py.File, old: Array) -> None:
        file["elsewhere"] = old
        file[WEIGHT] = h5py.SoftLink("/elsewhere")

    _instead(path, put)


@_case
def _soft_link_to_itself(path: Path) -> None:
    _instead(path, lambda file, old: file.__setitem__(WEIGHT, h5py.SoftLink("/" + WEIGHT)))


@_case
def _pipe(path: Path) -> None:
    os.mkfifo(path)


@_case
def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@_case
def _folder(path: Path) -> None:
    path.mkdir()


@_case
def _lfs_pointer(path: Path) -> None:
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")


@_case
def _committed_type(path: Path) -> None:
    def put(file: h5py.File, old: Array) -> None:
        file["kind"] = old.dtype
        file.create_dataset(WEIGHT, data=old, dtype=file["kind"])

    _instead(path, put)


@_case
def _references(path: Path) -> None:
    _instead(path, lambda file, old: file.__setitem__(WEIGHT, np.array([file.ref], dtype=h5py.ref_dtype)))


@_case
def _text_of_variable_length(path: Path) -> None:
    _instead(path, lambda file, old: file.__setitem__("onespike/facts", "{}"), "onespike/facts")


@_case
def _empty_space(path: Path) -> None:
    _instead(path, lambda file, old: file.__setitem__(WEIGHT, h5py.Empty("<i2")))


@_case
def _other_filters(path: Path) -> None:
    _instead(path, lambda file, old: file.create_dataset(WEIGHT, data=old, chunks=old.shape, compression="lzf"))


@lru_cache
def zeros(size: int) -> bytes:
    """A deflate stream of zeros, a multiple of 2^20."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)  # stands alone, so it can be repeated
    check = 1
    for _ in range(size // 2**20):
        check = zlib.adler32(bytes(2**20), check)
    return b"\x78\xda" + block * (size // 2**20) + b"\x03\x00" + check.to_bytes(4, "big")


def packed(file: h5py.File, name: str, shape: tuple[int, ...], chunk: tuple[int, ...], times: int, item: str) -> None:
    """Zeros in one chunk, deflated once or several times."""
    plist = h5p.create(h5p.DATASET_CREATE)
    plist.set_chunk(chunk)
    for _ in range(times):
        plist.set_deflate(9)
    data = h5d.create(
        file.id,
        name.encode(),
        h5t.py_create(np.dtype(item)),
        h5s.create_simple(shape, (h5s.UNLIMITED,) * len(shape)),
        plist,
    )
    stored = zeros(int(np.prod(chunk)) * np.dtype(item).itemsize)
    for _ in range(times - 1):
        stored = zlib.compress(stored, 9)
    data.write_direct_chunk((0,) * len(shape), stored)


def _bomb(path: Path, shape: tuple[int, ...], chunk: tuple[int, ...], times: int) -> None:
    name = "layer/1/neuron/vInit"
    _instead(path, lambda file, old: packed(file, name, shape, chunk, times, "<i4"), name)


@_case
def _chunk_larger_than_the_data(path: Path) -> None:
    _bomb(path, (16, 1, 1), (2**28, 1, 1), 1)


@_case
def _deflated_twice(path: Path) -> None:
    _bomb(path, (2**28, 1, 1), (2**28, 1, 1), 2)


@_case
def _deflated_three_times(path: Path) -> None:
    _bomb(path, (2**28, 1, 1), (2**28, 1, 1), 3)


@_case
def _near_the_ratio_of_deflate(path: Path) -> None:
    _bomb(path, (2**28, 1, 1), (2**28, 1, 1), 1)


@_case
def _stream_that_holds_more_than_its_chunk(path: Path) -> None:
    _good(path)
    name = "layer/1/neuron/vInit"
    with h5py.File(path, "r+") as file:
        del file[name]
        packed(file, "much", (2**28,), (2**28,), 1, "<i4")
        _, stored = file["much"].id.read_direct_chunk((0,))
        del file["much"]
        small = file.create_dataset(name, (2**10, 1, 1), "<i4", chunks=(2**10, 1, 1), compression="gzip")
        small.id.write_direct_chunk((0, 0, 0), stored)


@_case
def _manifest_of_lists(path: Path) -> None:
    _good(path)
    with h5py.File(path, "r+") as file:
        manifest(file, b"[" + b"[]," * (2**22) + b"[]]")


@_case
def _manifest_of_names(path: Path) -> None:
    _good(path)
    with h5py.File(path, "r+") as file:
        manifest(file, b"{" + b",".join(b'"%d":""' % n for n in range(1_000_000)) + b"}")


@_case
def _deep_manifest(path: Path) -> None:
    _good(path)
    with h5py.File(path, "r+") as file:
        manifest(file, b'{"a":' * 50_000 + b"1" + b"}" * 50_000)


@_case
def _lone_surrogate_in_the_manifest(path: Path) -> None:
    _good(path)
    with h5py.File(path, "r+") as file:
        manifest(file, b'{"layer/0/\\ud800": ""}')


@_case
def _number_of_5000_digits_in_the_manifest(path: Path) -> None:
    _good(path)
    with h5py.File(path, "r+") as file:
        manifest(file, b'{"layer/0/type": ' + b"7" * 5000 + b"}")


@_case
def _flattened_input(path: Path) -> None:
    """An input of 2^30 neurons, flattened, costs a file nothing."""
    fields = dict(encode(chain()))
    fields["layer/0/onespike/shape"] = np.array([2**15, 2**15, 1], "<i8")
    fields["layer/1/onespike/synapse/0/gather"] = text("flatten")
    path.write_bytes(image(fields))


@_case
def _one_data_set_under_many_names(path: Path) -> None:
    """Hard links make one data set many fields."""
    _good(path)
    with h5py.File(path, "r+") as file:
        big = np.zeros(2**24, "<i4")
        file.create_dataset("big", data=big, chunks=big.shape, compression="gzip", compression_opts=1)
        names = dict.fromkeys((f"layer/{n}/neuron/vInit" for n in range(1000, 1100)), digest(big))
        for name in names:
            file[name] = file["big"]
        kept = json.loads(bytes(file["onespike/manifest"][()]))
        manifest(file, json.dumps(kept | names).encode())
