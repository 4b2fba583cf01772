"""Front ends: what users have, to the one graph that everything behind works on (`core.graphs.ann.AnnGraph`)."""

import loihi_onespike.frontend.rules  # noqa: F401  (registers the rule of every operation)
from loihi_onespike.frontend.importer import trace
from loihi_onespike.frontend.importers.sources import ModelSource, as_module

__all__ = ["ModelSource", "as_module", "trace"]
