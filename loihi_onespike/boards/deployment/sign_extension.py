"""24-bit values as the host reads them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_SPARE_BITS = 32 - 24


def sign_extended(values: NDArray[np.generic]) -> NDArray[np.int32]:
    """Values of 24 bits that a board gives without their sign: (x << 8) >> 8 in 32 bits. Signed values stay."""
    return (values.astype(np.int64).astype(np.int32) << _SPARE_BITS) >> _SPARE_BITS
