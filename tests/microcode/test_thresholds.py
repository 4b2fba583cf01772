"""Thresholds whose product would not fit a register are limited, and decide as the real ones would."""

from __future__ import annotations

import numpy as np
import pytest

from loihi_onespike.microcode import Interpreter, StateLayout
from loihi_onespike.microcode.isa import Field, Op, Register
from loihi_onespike.microcode.program import ProgramBuilder
from loihi_onespike.microcode.thresholds import Factor, limit_threshold

THRESHOLD, V, FIRED = Field("threshold"), Field("v"), Field("fired")


@pytest.mark.parametrize(("mant", "shift"), [(32767, 0), (32767, 8), (-32767, 0), (20000, 14), (1, 0)])
def test_decisions_are_those_of_exact_arithmetic(mant: int, shift: int) -> None:
    rng = np.random.default_rng(abs(mant) + shift)
    edge = [-(2**23), -(2**14), -513, -1, 0, 1, 512, 2**14, 2**23 - 1]
    thresholds = np.array(edge * 9 + rng.integers(-(2**23), 2**23, 400).tolist())
    v = np.array([x for x in edge for _ in range(9)] + rng.integers(-(2**23), 2**23, 400).tolist())
    builder = ProgramBuilder("test", StateLayout.of({"threshold": 24, "v": 24, "fired": 8}))
    builder.emit(Op.RMW, 0)
    factor = Factor("", 1, False, mant, shift)
    theta = Register("theta")
    limited = limit_threshold(builder, THRESHOLD, thresholds, factor)
    builder.emit(Op.MUL_SHR, limited, *factor.constants(builder), out=theta)
    builder.emit(Op.LT, V, theta)
    builder.jump("end")
    builder.emit(Op.MOV, 1, out=FIRED)
    builder.label("end")
    core = Interpreter(builder.build(), {"threshold": thresholds, "v": v, "fired": np.zeros_like(v)})
    core.step(np.zeros_like(v))
    assert np.array_equal(core.state("fired") == 1, v >= ((thresholds * mant) >> shift))


def test_factor_one() -> None:
    assert Factor("", 1, True, 16384, 14).is_one and not Factor("", 1, True, 16385, 14).is_one
