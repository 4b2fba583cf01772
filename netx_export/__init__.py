"""NetX files of one-spike networks: HDF5 that keeps NetX's own fields and adds what NetX has no field for."""

from netx_export.files import read, write
from netx_export.layout import FORMAT, VERSION

__all__ = ["FORMAT", "VERSION", "read", "write"]
