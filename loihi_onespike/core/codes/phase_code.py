"""The phase code of the paper (section III-A, Eq. 3 and 4)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from loihi_onespike.core.codes.base import Base
from loihi_onespike.core.codes.code import FloatArray
from loihi_onespike.core.codes.single_spike_code import SingleSpikeCode
from loihi_onespike.errors import ConfigurationError


@dataclass(frozen=True)
class PhaseCode(SingleSpikeCode):
    """level(k) = Q^-k and, with the threshold shift, threshold(k) = Q^-k (1 + 1/Q) / 2 for k = 1..T (Eq. 4).

    Without the shift threshold(k) = Q^-k, which floors to the level below (Eq. 3). Values are relative to the
    channel's scale λ.

    Attributes:
        base: Q.
        timesteps: T, number of phases.
        threshold_shift: whether values round to the nearest level (True) or to the level below (False).
        gains: (T,) Q · 4096 for every input step, set from the other fields.
    """

    base: Base
    timesteps: int
    threshold_shift: bool = True
    gains: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.timesteps < 1:
            raise ConfigurationError(f"timesteps: must be an integer of at least 1, got {self.timesteps}")
        object.__setattr__(self, "gains", (self.base.mant,) * self.timesteps)

    def levels(self) -> FloatArray:
        """(T,) levels Q^-1 … Q^-T, decreasing."""
        return self.base.value ** -np.arange(1.0, self.timesteps + 1)

    def thresholds(self) -> FloatArray:
        """(T,) Q^-k (1 + 1/Q) / 2, or Q^-k without the threshold shift."""
        shift = (1 + 1 / self.base.value) / 2 if self.threshold_shift else 1.0
        return self.levels() * shift

    def __str__(self) -> str:
        return str(self.base)
