"""The quantizer's look-up equals the plain comparison with every threshold."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from loihi_onespike.core.activations import DippedActivation, Hardswish, Silu
from loihi_onespike.core.codes import Base, Codebook, PayloadCode, PhaseCode, SingleSpikeCode
from loihi_onespike.core.graphs.stage import StagePlan
from loihi_onespike.executors.float.quantize_kernel import UNDECIDED, decide_by_bounds
from loihi_onespike.executors.float.quantizer import Quantizer, first_word
from loihi_onespike.executors.float.threshold_lookup import ThresholdLookup, words_of_intervals

CODES: dict[str, SingleSpikeCode] = {
    "base 1.3": PhaseCode(Base.nearest(1.3), 16),
    "base 2, thresholds at powers of two": PhaseCode(Base.nearest(2.0), 8, threshold_shift=False),
    "base 1.02, 200 phases": PhaseCode(Base.nearest(1.02), 200),
    "codebook": Codebook((4096, 4100, 9000, 4097, 16000, 5000)),
    "eight messages in each of four phases": PayloadCode.geometric(3.0, 4, 3),
    "sixteen messages in each of two phases": PayloadCode.geometric(8.0, 2, 4, threshold_shift=False),
    "one phase": PhaseCode(Base.nearest(1.5), 1),
}


def plain(y: np.ndarray, code: SingleSpikeCode, table: np.ndarray, negative: np.ndarray | None) -> np.ndarray:
    """Level of the first threshold reached, one neuron at a time."""
    levels, out = code.levels().astype(np.float32), np.zeros_like(y)
    for i in np.ndindex(y.shape):
        up = [k for k, t in enumerate(table.astype(np.float32)) if y[i] >= t]
        down = [] if negative is None else [k for k, t in enumerate(negative.astype(np.float32)) if -y[i] >= t]
        out[i] = levels[up[0]] if up else -levels[down[0]] if down else 0.0
    return out


def probes(table: np.ndarray, rng: np.random.Generator, size: int) -> np.ndarray:
    """Thresholds, their neighbours in float32, zeros of both signs, extremes and numbers of all magnitudes."""
    cuts = table[np.isfinite(table)].astype(np.float32)
    near = [cuts, np.nextafter(cuts, np.float32(-1e9)), np.nextafter(cuts, np.float32(1e9))]
    special = np.array([0.0, -0.0, 1e-45, 1e30, -1e30], np.float32)
    known = np.concatenate([*near, *(-n for n in near), special])
    random = rng.normal(size=size - len(known)) * np.exp2(rng.uniform(-12, 3, size - len(known)))
    return np.concatenate([known, random.astype(np.float32)])


@pytest.mark.parametrize("signed", [False, True, "late"])
@pytest.mark.parametrize("name", CODES)
def test_look_up_equals_comparison(name: str, signed: bool | str) -> None:
    code, rng = CODES[name], np.random.default_rng(0)
    table = code.thresholds()
    negative = None if not signed else np.where(np.arange(len(table)) < (signed == "late"), np.inf, table)
    y = probes(table, rng, 2 * 4 * 256).reshape(2, 4, 16, 16)
    expected = plain(y, code, table, negative)
    assert ThresholdLookup.of(table, negative, code.levels()) is not None or code.timesteps == 1
    for memory_format in (torch.contiguous_format, torch.channels_last):
        given = torch.from_numpy(y.copy()).contiguous(memory_format=memory_format)
        found = Quantizer(table, negative, code.levels(), np.zeros(()), (4, 16, 16))(given)
        assert np.array_equal(found.numpy(), expected)


@pytest.mark.parametrize("late", [0, 3], ids=["nested", "first words never sent"])
@pytest.mark.parametrize("function", [Silu(), Hardswish()], ids=["silu", "hardswish"])
@pytest.mark.parametrize("name", ["base 1.3", "codebook", "eight messages in each of four phases"])
def test_a_dip_is_looked_up_on_both_sides_of_its_minimum(name: str, function: DippedActivation, late: int) -> None:
    """Equal to comparisons word by word, and an interval with one number at both ends contains no other word."""
    code, rng = CODES[name], np.random.default_rng(0)
    plan = StagePlan.of(function, code, np.array([1.5 / code.levels()[0]]), None)
    negative, far = plan.negative, plan.far
    assert negative is not None and far is not None
    negative = np.where(np.arange(len(far)) < late, np.inf, negative)
    y = probes(np.concatenate([plan.table, negative, far]), rng, 16 * 256).reshape(1, 4096)
    expected = np.array([dip_word(v, *(t.astype(np.float32) for t in (plan.table, negative, far))) for v in y[0]])
    assert np.array_equal(first_word(torch.from_numpy(y), plan.table, negative, far).numpy()[0], expected)
    lookup = ThresholdLookup.of(plan.table, negative, code.levels(), far)
    assert lookup is not None
    levels = np.concatenate([[0.0], code.levels()])
    found = Quantizer(plan.table, negative, code.levels(), np.zeros(()), (4096,), far)(torch.from_numpy(y.copy()))
    assert np.array_equal(found.numpy()[0], (np.sign(expected) * levels[np.abs(expected)]).astype(np.float32))
    sent = np.empty((1, 1, 4096), np.int16)
    one, none = np.ones((1, 4096), np.float32), np.zeros((1, 4096), np.float32)
    c, wide = lookup, one * np.float32(1e9)
    rest = np.zeros((0, 0, 0), np.float32)
    for slack in (none, one * np.float32(0.3), one * np.float32(20)):
        decide_by_bounds(
            0, 1, y[None], rest, one, none, slack, wide, c.cut, c.word, np.uint64(c.first), np.uint64(c.shift), c.low,
            c.high, np.uint64(c.cells), c.signed, sent,
        )  # fmt: skip
        sure = sent[0, 0] != UNDECIDED
        assert np.array_equal(words_of_intervals(sent[0, 0], len(far))[sure], expected[sure])
        assert sure[np.abs(y[0]) < 1e9].all() == (slack[0, 0] == 0)
        # Wide as the dip, an interval from behind it to above 0 is silent at both ends and yet not decided.
        across = (y[0] < 0) & (y[0] > -far.max()) & (slack[0, 0] > 2 * far.max())
        assert not sure[across].any()


def dip_word(y: np.float32, up: np.ndarray, near: np.ndarray, far: np.ndarray) -> int:
    """First word reached, one neuron at a time."""
    above = [w for w, t in enumerate(up, 1) if y >= t]
    below = [-w for w, (low, high) in enumerate(zip(near, far, strict=True), 1) if low <= -y <= high]
    return (above or below or [0])[0]


def test_bias_is_added_per_channel_and_per_neuron() -> None:
    code, rng = CODES["base 1.3"], np.random.default_rng(1)
    y = rng.normal(size=(2, 3, 4, 5)).astype(np.float32)
    for shape in ((), (3, 1, 1), (3, 4, 5)):
        bias = rng.normal(size=shape).astype(np.float32)
        expected = plain(y + bias, code, code.thresholds(), None)
        for memory_format in (torch.contiguous_format, torch.channels_last):
            given = torch.from_numpy(y.copy()).contiguous(memory_format=memory_format)
            found = Quantizer(code.thresholds(), None, code.levels(), np.asarray(bias), (3, 4, 5))(given)
            assert np.array_equal(found.numpy(), expected)


def test_thresholds_without_cells_are_compared() -> None:
    """Thresholds below zero (a sigmoid), and float64."""
    code = PhaseCode(Base.nearest(1.5), 3)
    table, y = np.array([0.7, 0.1, -0.4]), np.linspace(-1, 1, 40, dtype=np.float32).reshape(1, 40)
    assert ThresholdLookup.of(table, None, code.levels()) is None
    found = Quantizer(table, None, code.levels(), np.zeros(()), (40,))(torch.from_numpy(y.copy()))
    assert np.array_equal(found.numpy(), plain(y, code, table, None))
    wide = torch.from_numpy(y.astype(np.float64))
    again = Quantizer(table, None, code.levels(), np.zeros(()), (40,))(wide)
    assert again.dtype == torch.float64 and np.allclose(again.numpy(), found.numpy(), rtol=1e-6)


def test_a_phase_that_is_never_sent_has_no_cell() -> None:
    code = PhaseCode(Base.nearest(1.5), 3)
    table = np.array([np.inf, 0.5, 0.25])
    found = first_word(torch.tensor([9.0, 0.5, 0.3, 0.1]), table, None)
    assert found.tolist() == [2, 2, 3, 0]
    y = torch.tensor([[9.0, 0.5, 0.3, 0.1]])
    levels = Quantizer(table, None, code.levels(), np.zeros(()), (4,))(y).numpy()[0]
    assert np.array_equal(levels, np.append(code.levels()[[1, 1, 2]], 0).astype(np.float32))
