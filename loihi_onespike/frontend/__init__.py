"""Front ends: what users have, to the one graph that everything behind works on (`ir.ann.AnnGraph`)."""

from loihi_onespike.frontend.importer import trace

__all__ = ["trace"]
