"""Parts of a trace that a test knows to be there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.trace import LayerTrace


def phases_of(layer: LayerTrace) -> NDArray[np.integer]:
    """Phases (N, *shape) of a population that spikes, thus of any but the readout."""
    assert layer.words is not None
    return layer.words
