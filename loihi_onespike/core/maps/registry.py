"""What a part of the program makes of each linear map: one registry per place, with one entry per map.

    KERNELS: MapRegistry[Callable[..., Kernel]] = MapRegistry("the Lava event kernel", __name__)

    @KERNELS.register(Dense)
    def dense_kernel(op: Dense, …) -> Kernel: ...

    KERNELS[op](op, …)

A place with a form that is right for every map states it in `otherwise`; only there may a map be left out.
"""

from __future__ import annotations

from typing import Any

from loihi_onespike.core.registry import Entry, EntryRegistry
from loihi_onespike.errors import MissingEntryError

REGISTRIES: dict[str, MapRegistry[Any]] = {}
"""All registries of maps by their place; they are complete when the packages that hold them are imported."""


class MapRegistry(EntryRegistry[Entry]):
    """Entries by class of map; a subclass of a map uses the entry of its base unless it has its own.

    Args:
        place: what the entries are for, unique, as error messages name it: "the Lava event kernel".
        module: name of the module in which entries are registered.
        otherwise: what happens to a map without an entry, where that is right for every map; None where a map
            without an entry is an error.

    Raises:
        ValueError: there is a registry for this place already.
    """

    def __init__(self, place: str, module: str, otherwise: str | None = None) -> None:
        super().__init__(place, module)
        if place in REGISTRIES:
            raise ValueError(f"{place}: there is a registry for it already")
        self.otherwise = otherwise
        REGISTRIES[place] = self

    def find(self, item: object) -> Entry | None:
        """Entry for a map or its class; None, with `otherwise`, where it has none.

        Raises:
            MissingEntryError: a map without an entry, where every map needs one.
        """
        try:
            return super().find(item)
        except MissingEntryError:
            if self.otherwise is None:
                raise
            return None
