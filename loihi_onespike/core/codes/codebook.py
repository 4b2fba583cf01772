"""Codes of one spike with freely chosen levels."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.codes.code import FloatArray
from loihi_onespike.core.codes.fixed_point import LEAK_SHIFT
from loihi_onespike.core.codes.single_spike_code import SingleSpikeCode
from loihi_onespike.errors import ConfigurationError


@dataclass(frozen=True)
class Codebook(SingleSpikeCode):
    """Any decreasing levels: one gain per phase instead of one base (the generalisation of Eq. 3 and 4).

    With the threshold shift threshold(k) is the middle of level(k) and level(k+1), the last that of level(T) and 0.
    Without it threshold(k) = level(k).

    Attributes:
        gains: (T,) mantissas above 4096 and at most 4 · 4096; the first may be anything from 1 up.
        threshold_shift: whether values round to the nearest level (True) or to the level below (False).
        timesteps: T, the number of gains, set from them.
    """

    gains: tuple[int, ...]
    threshold_shift: bool = True
    timesteps: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.gains:
            raise ConfigurationError("codebook: must have at least one level, got none")
        one = 2**LEAK_SHIFT
        if min(self.gains) < one or max(self.gains) > 4 * one or one in self.gains[1:]:
            raise ConfigurationError(
                "codebook: the ratio of successive levels must be above 1 and at most 4, got "
                f"{min(self.gains) / one:.4g} to {max(self.gains) / one:.4g}"
            )
        object.__setattr__(self, "timesteps", len(self.gains))

    @classmethod
    def nearest(cls, levels: NDArray[np.floating], threshold_shift: bool = True) -> Codebook:
        """Nearest representable codebook to decreasing `levels` (T,) in (0, 1].

        Each gain is chosen against the level that the earlier rounded gains give, so that their rounding errors do not
        accumulate.

        Raises:
            ConfigurationError: a level is not positive, or `levels` is empty.
        """
        gains, level = [], 1.0
        for k, wanted in enumerate(np.asarray(levels, dtype=np.float64)):
            low = 2**LEAK_SHIFT + (k > 0)
            if not wanted > 0:
                raise ConfigurationError(f"codebook: level at phase {k + 1} must be positive, got {wanted}")
            gains.append(int(np.clip(np.rint(level / wanted * 2**LEAK_SHIFT), low, 4 * 2**LEAK_SHIFT)))
            level *= 2**LEAK_SHIFT / gains[-1]
        return cls(tuple(gains), threshold_shift)

    def thresholds(self) -> FloatArray:
        """(T,) middles between successive levels, or the levels without the threshold shift."""
        levels = self.levels()
        return (levels + np.append(levels[1:], 0.0)) / 2 if self.threshold_shift else levels

    def __str__(self) -> str:
        """Mean gain per phase, marked as such."""
        return f"~{self.levels()[-1] ** (-1 / self.timesteps):.4g}"
