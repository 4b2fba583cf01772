"""Tables that say what one part of the product makes of each class of maps, activations or codes.

A class knows itself; what an executor, the exporter or a mapper makes of it stands in a table of that package. A table
answers for a class and its subclasses, and a class without an entry is an error that names the class, the place and
the remedy: nothing falls through to a default.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from loihi_onespike.errors import MissingEntryError

Entry = TypeVar("Entry")


class EntryRegistry(Generic[Entry]):
    """One entry per class, found along the method resolution order of the object's class.

    An entry may be anything, usually a function that takes the object first. A class that deliberately has none is
    declared with `omit`, so that a test can tell an omission from an oversight.

    Attributes:
        place: what the entries are for, as error messages name it, e.g. "the float executor".
        module: name of the module in which entries are registered, named by the remedy.
    """

    def __init__(self, place: str, module: str) -> None:
        self.place, self.module = place, module
        self._entries: dict[type, Entry | None] = {}

    def register(self, *classes: type) -> Callable[[Entry], Entry]:
        """Decorator that makes the decorated object the entry of each of `classes`."""

        def add(entry: Entry) -> Entry:
            for cls in classes:
                self.add(cls, entry)
            return entry

        return add

    def add(self, cls: type, entry: Entry) -> None:
        """Make `entry` the entry of `cls`; a second entry for the same class is a programming error.

        Raises:
            ValueError: `cls` itself has an entry or is declared to have none.
        """
        if cls in self._entries:
            raise ValueError(f"{self.place}: {cls.__name__} is registered already")
        self._entries[cls] = entry

    def omit(self, *classes: type) -> None:
        """Declare that `classes` deliberately have no entry; `find` returns None for them.

        Raises:
            ValueError: one of `classes` has an entry or is declared already.
        """
        for cls in classes:
            if cls in self._entries:
                raise ValueError(f"{self.place}: {cls.__name__} is registered already")
            self._entries[cls] = None

    @property
    def classes(self) -> tuple[type, ...]:
        """Classes that are registered or declared to have no entry, in the order of their registration."""
        return tuple(self._entries)

    def find(self, item: object) -> Entry | None:
        """Entry for `item`, an object or its class; None where its class is declared to have none.

        Raises:
            MissingEntryError: neither the class nor a base of it is registered or declared.
        """
        cls = item if isinstance(item, type) else type(item)
        for base in cls.__mro__:
            if base in self._entries:
                return self._entries[base]
        raise MissingEntryError(cls.__name__, self.place, f"register one in {self.module}")

    def __getitem__(self, item: object) -> Entry:
        """Entry for `item`, an object or its class.

        Raises:
            MissingEntryError: no entry is registered, or the class is declared to have none.
        """
        entry = self.find(item)
        if entry is None:
            cls = item if isinstance(item, type) else type(item)
            raise MissingEntryError(cls.__name__, self.place, "it is declared to have none there")
        return entry
