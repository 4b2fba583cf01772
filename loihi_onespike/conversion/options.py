"""Options of a conversion: what may be asked for, and what follows from it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Literal

import numpy as np

from loihi_onespike.conversion.calibration.calibrate import Request
from loihi_onespike.conversion.calibration.input_code import InputCode
from loihi_onespike.conversion.method import Method
from loihi_onespike.core.codes import Base, BinaryCode, Code, PhaseCode, best_base
from loihi_onespike.errors import ConfigurationError

MAX_TIMESTEPS = 256


@dataclass(frozen=True)
class Options:
    """Options of a conversion, checked.

    Attributes: see `convert`.
    """

    timesteps: int = 16
    base: float | Literal["auto"] = "auto"
    wait: int | None = None
    weight_bits: int = 8
    input_bits: int | Literal["auto"] = "auto"
    input_code: Literal["binary", "single"] = "binary"
    normalization: Literal["channel", "layer"] = "channel"
    threshold_shift: bool = True
    method: Method = field(default_factory=Method)

    def __post_init__(self) -> None:
        _within("timesteps", self.timesteps, 1, MAX_TIMESTEPS)
        _within("weight_bits", self.weight_bits, 2, 8)
        if isinstance(self.input_bits, str) and self.input_bits != "auto":
            raise ConfigurationError(
                f"input_bits: found {self.input_bits!r}, supported 'auto' or whole numbers from 1 to 16"
            )
        if not isinstance(self.input_bits, str):
            _within("input_bits", self.input_bits, 1, 16)
        if self.wait is not None:
            _within("wait", self.wait, 1, self.timesteps)
        if self.input_code not in ("binary", "single"):
            raise ConfigurationError(f"input_code: found {self.input_code!r}, supported 'binary' and 'single'")
        if self.normalization not in ("channel", "layer"):
            raise ConfigurationError(f"normalization: found {self.normalization!r}, supported 'channel' and 'layer'")
        if isinstance(self.base, str) and self.base != "auto":
            raise ConfigurationError(f"base: found {self.base!r}, supported 'auto' or a number in (1, 4]")

    @property
    def code(self) -> PhaseCode:
        """Code of the hidden populations."""
        auto = isinstance(self.base, str)
        base = best_base(self.timesteps, self.threshold_shift) if auto else Base.nearest(float(self.base))
        return PhaseCode(base, self.timesteps, self.threshold_shift)

    @property
    def request(self) -> Request:
        """What the calibration is asked for."""
        fitted = self.method.levels and self.base == "auto" and self.threshold_shift
        return Request(self.code, fitted, self.wait, self.normalization, self.weight_bits, self.method)

    @property
    def code_of_input(self) -> InputCode:
        """Code of the input population; "auto" is decided on the data."""
        if self.input_code == "single":
            return self.code
        return "auto" if isinstance(self.input_bits, str) else BinaryCode(self.input_bits)

    def facts(self, input_code: Code) -> dict[str, object]:
        """For the record of a network: the options, with what "auto" came to.

        Args:
            input_code: the code that the input got.
        """
        bits = self.input_bits if input_code.input_bits is None else input_code.input_bits
        base = "fitted" if self.request.fitted_levels else self.code.base.value
        return {**asdict(self), "base": base, "input_bits": bits}


def _within(name: str, value: int, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise ConfigurationError(f"{name}: found {value!r}, supported whole numbers from {low} to {high}")
