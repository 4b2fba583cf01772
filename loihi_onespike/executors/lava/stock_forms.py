"""Which maps have a Lava process of their own; all others travel as an explicit matrix in Lava's Sparse.

Free of Lava, so that the checks before a deployment can ask where Lava is not installed.
"""

from __future__ import annotations

from enum import Enum

from loihi_onespike.core.maps import Conv, Dense
from loihi_onespike.core.maps.registry import MapRegistry


class StockForm(Enum):
    """Lava's processes for special maps."""

    CONV = "Conv"
    DENSE = "Dense"


STOCK_FORMS: MapRegistry[StockForm] = MapRegistry(
    "Lava's own synapse processes", __name__, otherwise="its explicit matrix is a Sparse process of Lava"
)
STOCK_FORMS.add(Conv, StockForm.CONV)
STOCK_FORMS.add(Dense, StockForm.DENSE)
