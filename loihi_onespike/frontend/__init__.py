"""Front ends: what users have, to the one graph that everything behind works on (`ir.ann.AnnGraph`)."""

from loihi_onespike.frontend.importer import trace
from loihi_onespike.frontend.sources import ModelSource, as_module

__all__ = ["ModelSource", "as_module", "trace"]
