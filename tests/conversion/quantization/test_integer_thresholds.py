"""Thresholds as integers: θ(k) = Q^-k (1 + 1/Q)/2 · gain of v at step min(wait + k, T), in units of v."""

import numpy as np
import pytest

from loihi_onespike.conversion.quantization.integer_thresholds import integer_thresholds, largest_threshold, wait_steps
from loihi_onespike.core.activations import IDENTITY, RELU, Hardswish
from loihi_onespike.core.codes import V_MAX, Base, PhaseCode, ThresholdTable
from loihi_onespike.core.graphs.network import Membrane
from loihi_onespike.core.graphs.stage import StagePlan
from loihi_onespike.errors import HeadroomError

UNIT = 2.0**-10
MEMBRANE = Membrane((2 * 4096,) * 3, 0, np.zeros((), np.int64), np.full((), UNIT))


def planned(wait, activation=RELU, scale=1.0):
    return StagePlan.of(activation, PhaseCode(Base.nearest(2.0), 3), np.full((), scale), wait)


@pytest.mark.parametrize(
    ("wait", "steps", "real"),
    [
        (None, 3, (3.0, 1.5, 0.75)),  # 3/8, 3/16, 3/32 times 2^3
        (1, 1, (1.5, 1.5, 0.75)),  # times 2^2, 2^3, 2^3
        (9, 3, (3.0, 1.5, 0.75)),  # no longer than the input
    ],
)
def test_thresholds_of_base_2_grow_with_v(wait, steps, real):
    plan = planned(wait)
    factor, tables = integer_thresholds(plan, MEMBRANE, "layer")
    assert wait_steps(plan, MEMBRANE) == steps and list(tables) == ["table"]
    assert largest_threshold(plan, MEMBRANE) == max(real) / UNIT
    np.testing.assert_array_equal(tables["table"].thresholds(factor), np.array(real) / UNIT)


def test_signed_populations_have_a_table_for_each_sign_and_the_scale_goes_into_the_factor():
    factor, tables = integer_thresholds(planned(None, IDENTITY, scale=2.0), MEMBRANE, "layer")
    assert factor == 2 * 3 / UNIT and list(tables) == ["table", "negative"]
    np.testing.assert_array_equal(tables["negative"].thresholds(factor), tables["table"].thresholds(factor))


def test_a_dip_has_a_far_table_in_units_of_the_largest_threshold():
    """z (z + 3) / 6 = -3/8 and -3/16 and -3/32 at λ = 1, times 2^3; the last far end is 3 - 0.2010 = 2.7990."""
    factor, tables = integer_thresholds(planned(None, Hardswish()), MEMBRANE, "layer")
    far = (3 + np.sqrt(9 - 24 * np.array([3 / 8, 3 / 16, 3 / 32]))) / 2
    assert factor == np.rint(far[-1] * 8 / UNIT)
    np.testing.assert_allclose(tables["far"].thresholds(factor), far * 8 / UNIT, atol=2)
    np.testing.assert_allclose(tables["negative"].thresholds(factor), (3 - far) * 8 / UNIT, atol=2)


def test_the_smallest_threshold_keeps_words_that_are_never_sent_beyond_every_potential():
    """A threshold of 3 · 2^-24 / UNIT would be rounded to 0; 512 · (2^15 - 1) is above 2^23."""
    factor, _ = integer_thresholds(planned(None, scale=2.0**-24), MEMBRANE, "layer")
    assert factor == ThresholdTable.SMALLEST == 512
    never = ThresholdTable.from_gains(np.array([np.inf]))
    assert never.thresholds(factor).item() > V_MAX >= never.thresholds(factor // 2).item()


def test_a_threshold_beyond_v_is_refused_by_name():
    """3 · 2^12 / UNIT is 3 · 2^22; a sum of equal weights has one integer step, so that no coarser unit is left."""
    assert integer_thresholds(planned(None, scale=2.0**11), MEMBRANE, "layer")[0] == 3 * 2**21
    message = "layer: the largest threshold requires 25 bits, limit 24; use fewer timesteps or payload_bits"
    with pytest.raises(HeadroomError, match=message):
        integer_thresholds(planned(None, scale=2.0**12), MEMBRANE, "layer")
