"""The one-spike code and its integer rules; numpy only."""

from loihi_onespike.core.codes.base_choice import best_base, percentage_error
from loihi_onespike.core.codes.fixed_point import (
    LEAK_SHIFT,
    V_BITS,
    V_MAX,
    V_MIN,
    ThresholdTable,
    leak,
    leak_loss,
    saturate_v,
    signed_bits,
)
from loihi_onespike.core.codes.phase import BINARY, PHASE_DTYPE, Base, BinaryCode, Codebook, PhaseCode, SingleSpikeCode

__all__ = [
    "BINARY",
    "LEAK_SHIFT",
    "PHASE_DTYPE",
    "V_BITS",
    "V_MAX",
    "V_MIN",
    "Base",
    "BinaryCode",
    "Codebook",
    "PhaseCode",
    "SingleSpikeCode",
    "ThresholdTable",
    "best_base",
    "leak",
    "leak_loss",
    "percentage_error",
    "saturate_v",
    "signed_bits",
]
