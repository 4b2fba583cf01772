"""A code of two phases with two messages each: words, values and spikes by hand, and codes fitted to levels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from loihi_onespike.core.codes import MAX_WORDS, Base, PayloadCode, PhaseCode
from loihi_onespike.errors import ConfigurationError
from loihi_onespike.executors.float.tensor_codes import tensor_code

CODE = PayloadCode((4096, 8192), (3, 2, 3, 2))


def test_levels_are_messages_over_the_gains_so_far() -> None:
    assert CODE.levels().tolist() == [3.0, 2.0, 1.5, 1.0]  # 3, 2, 3/2 and 2/2
    assert (CODE.timesteps, CODE.payload_bits, CODE.words_per_phase, CODE.largest_message) == (2, 1, 2, 3)
    assert CODE.words().tolist() == [0, 1, 2, 3, 4]


def test_thresholds_lie_in_the_middle_or_on_the_levels() -> None:
    assert CODE.thresholds().tolist() == [2.5, 1.75, 1.25, 0.5]
    assert PayloadCode((4096, 8192), (3, 2, 3, 2), threshold_shift=False).thresholds().tolist() == [3.0, 2.0, 1.5, 1.0]


def test_words_of_values_and_values_of_words() -> None:
    assert CODE.encode(np.array([9.0, 2.5, 2.4, 1.25, 0.5, 0.49, -1.0])).tolist() == [1, 1, 2, 3, 4, 0, 0]
    assert CODE.decode(np.array([-4, -1, 0, 1, 3])).tolist() == [-1.0, -3.0, 0.0, 3.0, 1.5]


def test_a_word_is_a_phase_and_a_message() -> None:
    words = np.array([-3, -1, 0, 1, 2, 3, 4])
    assert CODE.phase_of(words).tolist() == [2, 1, 0, 1, 1, 2, 2]
    assert CODE.spikes(words, 1).tolist() == [0, -3, 0, 3, 2, 0, 0]
    assert CODE.spikes(words, 2).tolist() == [-3, 0, 0, 0, 0, 3, 2]
    assert CODE.count_spikes(words).tolist() == [1, 1, 0, 1, 1, 1, 1]


def test_messages_that_a_phase_does_not_have() -> None:
    """Phase 1 sends 3 and 2, phase 2 sends 3 and 1; everything else is a word of no code."""
    code = PayloadCode((4096, 8192), (3, 2, 3, 1))
    seen = np.array([3, -2, 1, 0])
    assert code.words_sent(seen, 1).tolist() == [1, -2, MAX_WORDS, 0]
    assert code.words_sent(seen, 2).tolist() == [3, -MAX_WORDS, 4, 0]
    for phase in (0, 3):
        assert code.words_sent(seen, phase).tolist() == [MAX_WORDS, -MAX_WORDS, MAX_WORDS, 0]
    assert MAX_WORDS == 32_767


def test_a_gain_of_16_and_no_more() -> None:
    assert PayloadCode((4096, 16 * 4096), (3, 2, 3, 2)).gains[1] == 65_536
    with pytest.raises(ConfigurationError, match=r"a gain outside \[1, 16\]; take levels further apart"):
        PayloadCode.nearest(np.array([1.0, 0.9, 0.01, 0.009]), 2, largest=10)


def test_eight_even_steps_between_powers_of_three() -> None:
    """3^-k · (1 + 2 m / 8) = 3^-k / 4 · (4 + m): the messages are 11 … 4 at every phase."""
    code = PayloadCode.geometric(3.0, 4, 3)
    assert code.payloads == (11, 10, 9, 8, 7, 6, 5, 4) * 4
    assert code.gains == (4096, 3 * 4096, 3 * 4096, 3 * 4096)
    assert str(code) == "~3 + 3 bits"


@settings(deadline=None)
@given(st.integers(1, 5), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_fitted_levels_are_near_to_the_wanted_ones_and_decrease(timesteps: int, bits: int, seed: int) -> None:
    ratios = np.random.default_rng(seed).uniform(0.8, 0.92, timesteps * 2**bits)
    wanted = np.cumprod(ratios)
    code = PayloadCode.nearest(wanted, timesteps)
    assert (code.timesteps, code.payload_bits) == (timesteps, bits)
    found = code.levels() / code.levels()[0] * wanted[0]
    step = np.minimum(-np.diff(wanted, append=0.0), np.append(np.inf, -np.diff(wanted)))
    assert np.all(np.abs(found - wanted) <= 0.3 * step)
    assert np.all(np.diff(found) < 0)


def test_smallest_sufficient_integers() -> None:
    assert PayloadCode.nearest(np.array([2.0, 1.0]), 1).payloads == (2, 1)
    assert PayloadCode.nearest(np.array([3.0, 2.0]), 1).payloads == (3, 2)
    # 1 and 0.7: 3 and 2 would put the second level at 0.667, which is 0.11 of the step of 0.3 away; 4 and 3 at 0.75
    # are worse; 7 and 5 give 0.714, which is within a tenth.
    assert PayloadCode.nearest(np.array([1.0, 0.7]), 1).payloads == (7, 5)
    assert PayloadCode.nearest(np.array([1.0, 0.7]), 1, largest=6).payloads == (3, 2)
    # The step of the last level reaches to 0: it may move by a tenth of 0.1, which 1/6 is too far from.
    assert PayloadCode.nearest(np.array([1.0, 0.1]), 1).payloads == (10, 1)


def test_the_phases_of_a_geometric_code_are_its_ratio_apart() -> None:
    code = PayloadCode.geometric(8.0, 2, 4)
    assert code.levels()[0] / code.levels()[16] == pytest.approx(8, rel=0.01)


@pytest.mark.parametrize(
    ("gains", "payloads", "message"),
    [
        ((), (), "2, 4, 8, … messages for each of its phases, got 0 for 0 phases"),
        ((4096, 8192), (3, 2, 1), "messages for each of its phases, got 3 for 2 phases"),
        ((4096, 8192), (3, 2), "messages for each of its phases, got 2 for 2 phases"),
        ((4096, 70000), (3, 2, 3, 2), r"gains must be in \[1, 16\], got 1 to 17\.09"),
        ((4095, 8192), (3, 2, 3, 2), r"gains must be in \[1, 16\], got 0\.9998 to 2"),
        ((4096, 8192), (128, 2, 3, 2), r"messages must be integers in \[1, 127\], got 2 to 128"),
        ((4096, 8192), (3, 0, 3, 2), r"messages must be integers in \[1, 127\], got 0 to 3"),
        ((4096, 8192), (3, 2, 4, 2), "levels must decrease from word to word, got 2 for word 2 and 2 for word 3"),
        ((4096, 8192), (3, 3, 2, 1), "levels must decrease from word to word, got 3 for word 1 and 3 for word 2"),
    ],
)
def test_impossible_codes_are_refused(gains: tuple[int, ...], payloads: tuple[int, ...], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        PayloadCode(gains, payloads)


def test_more_words_than_their_type_holds() -> None:
    with pytest.raises(ConfigurationError, match="at most 32767 words, got 32768"):
        PayloadCode((4096,) * 256, (1,) * 2**15)


@pytest.mark.parametrize(
    ("levels", "timesteps", "message"),
    [
        ([], 1, "levels must be positive and decreasing"),
        ([1.0, 1.0], 1, "levels must be positive and decreasing"),
        ([1.0, -0.5], 1, "levels must be positive and decreasing"),
        ([1.0, 0.5, 0.2], 2, "the same number of levels for each of its 2 phases, got 3"),
        ([1.0, 0.9, 0.01, 0.0001], 2, r"levels 0\.01 to 0\.0001 of phase 2 need messages above 127 or a gain outside"),
    ],
)
def test_levels_without_a_code_are_refused(levels: list[float], timesteps: int, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        PayloadCode.nearest(np.array(levels), timesteps, largest=127)


def test_a_ratio_of_one_and_no_bits_are_refused() -> None:
    for ratio, bits in ((1.0, 2), (2.0, 0)):
        with pytest.raises(ConfigurationError, match="ratio must be above 1 and payload_bits at least 1"):
            PayloadCode.geometric(ratio, 4, bits)


def test_tensors_give_the_same_as_the_code() -> None:
    words = np.array([-4, -1, 0, 1, 2, 3, 4])
    on_tensors, given = tensor_code(CODE), torch.from_numpy(words.astype(np.int32))
    assert on_tensors.values(given, torch.float64).tolist() == CODE.decode(words).tolist()
    spikes = on_tensors.spikes(given, torch.float32, signed=True).numpy()
    assert [s.tolist() for s in spikes] == [CODE.spikes(words, 1).tolist(), CODE.spikes(words, 2).tolist()]
    rounded = on_tensors.rounded(torch.tensor([9.0, 2.4, 0.5, 0.4], dtype=torch.float64))
    assert rounded.tolist() == [3.0, 2.0, 1.0, 0.0]
    arrived = on_tensors.arrived(torch.tensor([6.0, 4.0, 3.0, 2.0, 0.0]), torch.tensor([2.0]), 1)
    assert arrived.tolist() == [6.0, 4.0, 0.0, 0.0, 0.0]  # λ = 2: levels 6 and 4 of phase 1, 3 and 2 of phase 2


def test_words_of_messages_that_were_seen() -> None:
    """The inverse of `spikes` at every phase; a message that a phase does not have is no word of the code."""
    code = PayloadCode((4096, 8192), (7, 5, 6, 3))
    words = np.arange(-4, 5)
    seen = [code.words_sent(code.spikes(words, phase), phase) for phase in (1, 2)]
    assert np.array_equal(seen[0] + seen[1], words)
    assert code.words_sent(np.array([7, -6, 0]), 2).tolist() == [MAX_WORDS, -3, 0]
    assert code.words_sent(np.array([7, -5]), 3).tolist() == [MAX_WORDS, -MAX_WORDS]
    assert PhaseCode(Base(8192), 4).words_sent(np.array([1, -1, 0]), 3).tolist() == [3, -3, 0]


@pytest.mark.parametrize(
    ("messages", "additions"),
    [
        ((3, 2), 2),  # b = 1: b + 1, and 3 = 4 - 1
        ((7, 5), 2),  # 7 = 8 - 1, 5 = 4 + 1
        ((11, 2), 3),  # 11 = 16 - 4 - 1 has one more
        ((85, 1), 4),  # 85 = 64 + 16 + 4 + 1
        ((11, 10, 9, 8, 7, 6, 5, 4), 4),  # b = 3
        ((127, 100, 85, 64, 43, 21, 11, 1), 4),  # up to 2 b + 1 = 7 bits
    ],
)
def test_additions_of_a_message(messages: tuple[int, ...], additions: int) -> None:
    assert PayloadCode((4096,), messages).additions_per_spike == additions
    assert PhaseCode(Base(8192), 4).additions_per_spike == 1


def test_additions_are_enough_for_every_message() -> None:
    """m is a sum of as many signed powers of two as the count says, found without the formula."""
    powers = [s * 2**n for n in range(9) for s in (1, -1)]
    reached, least = {0}, {0: 0}
    for count in range(1, 5):
        reached = {a + p for a in reached for p in powers}
        least |= {m: count for m in reached if m not in least}
    for m in range(2, 128):
        assert PayloadCode((4096,), (m, 1)).additions_per_spike == max(2, least[m])
