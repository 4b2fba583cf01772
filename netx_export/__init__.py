"""NetX files of one-spike networks (docs/netx_format.md).

The files are HDF5; they keep NetX's own fields and add fields for what NetX cannot express.
"""

from netx_export.files import read, write
from netx_export.layout import FORMAT, VERSION

__all__ = ["FORMAT", "VERSION", "read", "write"]
