"""Checks the values of inputs part by part, and counts those that the network clips."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.core.graphs.network import Network
from loihi_onespike.core.input_range import InputRange
from loihi_onespike.data.checks import check_finite
from loihi_onespike.errors import InputRangeWarning


@dataclass
class InputTally:
    """Counts input values that lie far outside the range of the calibration, over all parts of a run.

    Attributes:
        network: the network.
        outside: values found outside so far.
        samples: samples looked at so far.
    """

    network: Network
    outside: int = 0
    samples: int = 0

    @cached_property
    def range(self) -> InputRange:
        """Range of the input population."""
        return InputRange.of(self.network.input)

    @property
    def share(self) -> float:
        """Share of all input values that lie far outside; 0 before there are any."""
        return self.outside / max(self.samples * prod(self.network.input.shape), 1)

    def checked(self, x: Any) -> NDArray[Any] | SparseSample:
        """The samples (n, *input shape) in memory, counted; raises ConfigurationError for NaN and infinity."""
        given = x if isinstance(x, SparseSample) else np.asarray(x)
        values: NDArray[Any] = given.matrix.data[None] if isinstance(given, SparseSample) else given
        if not self.range.holds(values):
            check_finite("x", values)
            self.outside += self.range.far_outside(given)
        self.samples += len(given)
        return given

    def warn(self) -> None:
        """Warn once with the count and share of the values that were clipped; nothing where there are none."""
        if not self.outside:
            return
        warnings.warn(
            f"x: {self.outside:,} input values ({100 * self.share:.2g} %) lie far outside the range of the "
            f"calibration, {self.range}, and are clipped to it; scale the inputs as for the calibration, "
            "or convert again with calibration data of this range",
            InputRangeWarning,
            stacklevel=3,
        )
