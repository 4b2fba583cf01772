"""NetX files of other neurons: what an error says of them."""

from __future__ import annotations

import numpy as np

from loihi_onespike.errors import FormatError
from netx_export.hdf5_access import LIBRARY_ERRORS, Hdf5Access

FOREIGN_LAYERS = 1000
"""Layers of a foreign file that are looked at, at most."""


def foreign_neurons(access: Hdf5Access) -> list[str]:
    """Kinds of neurons of a NetX file that is not ours; "no neurons" where none is named."""
    if access.group("layer") is None:
        return []
    kinds = {_foreign_kind(access, f"layer/{name}/neuron/type") for name in access.names("layer")[:FOREIGN_LAYERS]}
    return sorted(kinds - {""}) or ["no neurons"]


def _foreign_kind(access: Hdf5Access, path: str) -> str:
    try:
        group = access.group(path.rpartition("/")[0])
        kind = None if group is None else access.dataset(path, texts=True)
        return "" if kind is None or kind.size != 1 else str(np.ravel(kind.asstr("ascii", "replace")[()])[0])[:40]
    except (FormatError, *LIBRARY_ERRORS):
        return ""
