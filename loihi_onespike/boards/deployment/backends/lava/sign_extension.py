"""Sign extension of the 24-bit values that the host reads from a board."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_SPARE_BITS = 32 - 24


def sign_extended(values: NDArray[np.generic]) -> NDArray[np.int32]:
    """Extend the sign of 24-bit values.

        y = (x << 8) >> 8        in 32 bits

    Args:
        values: Values of any shape that a board returned without their sign; values that carry a sign stay as they are.

    Returns:
        Signed values of the same shape.
    """
    return (values.astype(np.int64).astype(np.int32) << _SPARE_BITS) >> _SPARE_BITS
