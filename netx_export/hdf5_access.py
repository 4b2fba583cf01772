"""Access to an HDF5 file that may be hostile: what an object is stored as is checked before anything of it is read.

The HDF5 library follows links into other files, assembles data sets from other data sets, and crashes on a virtual data
set that maps itself. None of these belong to the format. A path is followed link by link, hard links only, and a data
set is read only when it lies in this very file, in a layout and with filters of the format.
"""

from __future__ import annotations

import zlib
from math import prod

import h5py
from h5py import h5a, h5d, h5g, h5l, h5o, h5s, h5t, h5z

from loihi_onespike.errors import FormatError
from loihi_onespike.regular_files import budget

LAYOUTS = {h5d.CONTIGUOUS: "contiguous", h5d.COMPACT: "compact", h5d.CHUNKED: "chunked"}
FILTERS = {h5z.FILTER_SHUFFLE: "shuffle", h5z.FILTER_DEFLATE: "deflate"}
ALLOWED_FILTERS: tuple[list[str], ...] = ([], ["shuffle"], ["deflate"], ["shuffle", "deflate"])
LINKS = {h5l.TYPE_SOFT: "a soft link", h5l.TYPE_EXTERNAL: "a link to another file"}
CLASSES = (h5t.INTEGER, h5t.FLOAT, h5t.STRING)
MAX_DEFLATE_RATIO = 1100
"""Best ratio that deflate reaches; a larger one means a damaged or hostile shape, refused before memory is reserved."""
SMALL_BYTES = 2048
"""Bytes that a field may always declare."""
MAX_ATTRIBUTE_BYTES = 2**20
"""Bytes of an attribute; the longest are tables of thresholds, 4 bytes per phase."""
LIBRARY_ERRORS = (OSError, RuntimeError, LookupError, ValueError, TypeError, AttributeError, ArithmeticError,
                  SystemError, MemoryError, NotImplementedError, zlib.error)  # fmt: skip
"""Exceptions that h5py and zlib raise on damaged files."""
MISSING = "is missing; the file is damaged or was edited"


class Hdf5Access:
    """The objects of an open file by path.

    Attributes:
        file: the file.
        file_bytes: its size.
    """

    def __init__(self, file: h5py.File, file_bytes: int) -> None:
        self.file, self.file_bytes = file, file_bytes
        self._left = budget(file_bytes)
        self._groups: dict[str, h5g.GroupID | None] = {"": file["/"].id}

    def group(self, path: str) -> h5py.Group | None:
        """A group, or None where there is none; FormatError where a link leads elsewhere."""
        found = self._group(path)
        return None if found is None else h5py.Group(found)

    def _group(self, path: str) -> h5g.GroupID | None:
        if path not in self._groups:
            found = self._object(path)
            self._groups[path] = found if isinstance(found, h5g.GroupID) else None
        return self._groups[path]

    def _object(self, path: str) -> object:
        above, _, name = path.rpartition("/")
        parent, key = self._group(above), name.encode()
        if parent is None or not name or key not in parent:
            return None
        link = parent.links.get_info(key)
        if link.type != h5l.TYPE_HARD:
            found = LINKS.get(link.type, "a link of an unknown kind")
            raise FormatError(path, f"must be stored in this file itself, got {found}; write the file again")
        return h5o.open(parent, key)

    def names(self, path: str) -> list[str]:
        """Names in a group, whatever they lead to."""
        group = self._group(path)
        return [] if group is None else [name.decode("utf-8", "replace") for name in group]

    def dataset(self, path: str, texts: bool = False) -> h5py.Dataset:
        """A data set that is safe to read.

        Args:
            path: Path of the data set.
            texts: whether texts of any length are allowed, as other programs store them.

        Raises:
            FormatError: it is missing, not stored as the format has it, or larger than the file justifies.
        """
        found = self._object(path)
        if not isinstance(found, h5d.DatasetID):
            raise FormatError(path, MISSING)
        plist = found.get_create_plist()
        layout = plist.get_layout()
        if layout not in LAYOUTS:
            name = "virtual" if layout == h5d.VIRTUAL else f"number {layout}"
            raise FormatError(path, f"must be stored {', '.join(LAYOUTS.values())}, got the layout {name}")
        if plist.get_external_count():
            raise FormatError(path, "must be stored in this file itself, got external storage")
        item = self._item_bytes(path, found.get_type(), found.get_space(), texts)
        codes = [plist.get_filter(i)[0] for i in range(plist.get_nfilters())]
        filters = [FILTERS.get(code, f"number {code}") for code in codes]
        if filters not in ALLOWED_FILTERS:
            listed = ", ".join(filters)
            raise FormatError(path, f"must have the filters shuffle and deflate, each once at most, got {listed}")
        chunk = plist.get_chunk() if layout == h5d.CHUNKED else None
        self._admit(path, found.shape, chunk, item, found.get_storage_size(), bool(filters))
        return h5py.Dataset(found)

    def _admit(
        self, path: str, shape: tuple[int, ...], chunk: tuple[int, ...] | None, item: int, stored: int, packed: bool
    ) -> None:
        """Check what reading a data set takes, padding of its chunks included, before anything is reserved."""
        claimed = item * prod(shape)
        if chunk is not None:
            if any(c > max(1, n) for c, n in zip(chunk, shape, strict=True)):
                raise FormatError(path, f"chunks must not be larger than the data, got {chunk} for {shape}")
            claimed = item * prod(-(-n // c) * c for n, c in zip(shape, chunk, strict=True))
        ratio = MAX_DEFLATE_RATIO if packed else 1
        if stored > self.file_bytes or claimed > ratio * stored + SMALL_BYTES:
            raise FormatError(path, f"claims {claimed} bytes, {stored} are stored; the file is damaged")
        self._take(path, claimed)

    def _take(self, path: str, size: int) -> None:
        """Subtract what is read next from the budget of the file."""
        if size > self._left:
            raise FormatError(
                path,
                f"requires {size} bytes, limit {self._left} of the {budget(self.file_bytes)} that a file of "
                f"{self.file_bytes} bytes may take; store it without compression",
            )
        self._left -= size

    def attribute(self, path: str) -> h5a.AttrID:
        """An attribute that is safe to read, group and name separated by the last slash.

        Raises:
            FormatError: it is missing, larger than the file justifies, or of a type that the format does not have.
        """
        above, _, name = path.rpartition("/")
        group, key = self._group(above), name.encode()
        if group is None or not h5a.exists(group, key):
            raise FormatError(path, MISSING)
        found = h5a.open(group, key)
        size = self._item_bytes(path, found.get_type(), found.get_space()) * prod(found.shape)
        if size > min(MAX_ATTRIBUTE_BYTES, self.file_bytes):
            raise FormatError(path, f"requires {size} bytes, limit {min(MAX_ATTRIBUTE_BYTES, self.file_bytes)}")
        self._take(path, size)
        return found

    def _item_bytes(self, path: str, kind: h5t.TypeID, space: h5s.SpaceID, texts: bool = False) -> int:
        """Size of one element, once type and space are those of plain numbers and texts of a fixed length."""
        is_text = kind.get_class() == h5t.STRING
        if kind.get_class() not in CLASSES or kind.committed() or (is_text and kind.is_variable_str() and not texts):
            raise FormatError(path, "must be of numbers or a text of fixed length, got another type of HDF5")
        if space.get_simple_extent_type() not in (h5s.SCALAR, h5s.SIMPLE):
            raise FormatError(path, "must hold a value, got an empty data space")
        return int(kind.get_size())
