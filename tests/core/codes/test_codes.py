"""Every code: its words, values, spikes and gains agree, and every registry has an entry for it."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from loihi_onespike.core.codes import (
    CODES,
    Base,
    BinaryCode,
    Code,
    Codebook,
    DigitCode,
    PayloadCode,
    PhaseCode,
    PositionalCode,
    SingleSpikeCode,
)
from loihi_onespike.core.registry import EntryRegistry
from loihi_onespike.errors import ConfigurationError, MissingEntryError
from loihi_onespike.executors.fast.code_bits import CODE_BITS, WITH_MESSAGE, code_bits, kernel_codes
from loihi_onespike.executors.float.tensor_codes import TENSOR_CODES, tensor_code
from netx_export.codes import CODE_FIELDS, INPUT_KINDS, code_fields, read_input_code
from netx_export.fields import Fields

CODES_TO_CHECK: list[Code] = [
    PhaseCode(Base.nearest(1.3), 12),
    PhaseCode(Base.nearest(2.0), 5),
    PhaseCode(Base.nearest(1.5), 8, threshold_shift=False),
    Codebook((4096, 6000, 5000, 9000)),
    Codebook((5000, 4097, 16384), threshold_shift=False),
    PayloadCode((4096, 8192), (3, 2, 3, 2)),
    PayloadCode.geometric(3.0, 4, 3),
    PayloadCode.geometric(8.0, 2, 4, threshold_shift=False),
    BinaryCode(1),
    BinaryCode(8),
    DigitCode(8, 4),
    DigitCode(8, 3),
    DigitCode(2, 4),
    DigitCode(11, 2),
]
REGISTRIES: list[EntryRegistry] = [TENSOR_CODES, CODE_BITS, CODE_FIELDS, INPUT_KINDS]
"""Every registry with an entry per code."""
of_each_code = pytest.mark.parametrize("code", CODES_TO_CHECK, ids=repr)


def test_every_code_is_among_the_examples() -> None:
    assert {type(code) for code in CODES_TO_CHECK} == set(CODES)


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda r: r.place)
@pytest.mark.parametrize("cls", CODES)
def test_every_code_has_an_entry_in_every_registry(cls: type[Code], registry: EntryRegistry) -> None:
    assert registry[cls] is not None


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda r: r.place)
def test_unknown_code_is_an_error_that_names_class_place_and_remedy(registry: EntryRegistry) -> None:
    class BurstCode:
        pass

    with pytest.raises(MissingEntryError, match=rf"^BurstCode: no entry for {registry.place}; register one in \S+$"):
        registry[BurstCode()]


@of_each_code
def test_value_of_a_word_is_the_sum_of_its_spikes_over_the_gains(code: Code) -> None:
    words, phases = code.words(), np.arange(1, code.timesteps + 1)
    spikes = np.stack([code.spikes(words, t) for t in phases], axis=1)
    assert len(code.gains) == code.timesteps
    levels = 1 / np.cumprod(np.array(code.gains) / 4096)
    np.testing.assert_allclose(code.decode(words), spikes @ levels, rtol=1e-12)
    assert np.array_equal(code.count_spikes(words), (spikes != 0).sum(axis=1))
    assert code.count_spikes(words).dtype.itemsize == 1
    assert code.multi_spike == bool((spikes != 0).sum(axis=1).max() > 1 or isinstance(code, PositionalCode))


@of_each_code
@given(st.floats(0, 1.5))
def test_encode_takes_the_nearest_value_or_the_one_below(code: Code, x: float) -> None:
    values = code.decode(code.words())
    sent = float(code.decode(code.encode(np.array([x])))[0])
    assert sent in values
    if isinstance(code, SingleSpikeCode) and not code.threshold_shift:
        assert sent == max(value for value in values if value <= x)
    else:
        nearest = np.abs(values - x).min()
        # The last threshold of a phase code lies below the middle of its last level and 0 (Eq. 4).
        smallest = code.thresholds()[-1] if isinstance(code, PhaseCode) else 0.0
        assert abs(sent - x) <= nearest + 1e-12 or (sent == 0) == (x < smallest)


@of_each_code
def test_every_word_is_the_code_of_its_value(code: Code) -> None:
    words = code.words()
    value = code.decode(words) * (1 + 1e-12)
    assert np.array_equal(code.encode(value), words)


@of_each_code
def test_scale_of_a_range_makes_its_top_the_largest_value(code: Code) -> None:
    scale = code.scale_of_range(np.array([3.0]))
    np.testing.assert_allclose(code.decode(code.words()).max() * scale, 3.0)


@of_each_code
def test_even_steps_are_even(code: Code) -> None:
    steps = np.diff(np.sort(code.decode(code.words())))
    assert (code.even_steps is None) == (code.input_bits is None)
    if code.even_steps is not None:
        assert len(steps) == code.even_steps and np.all(steps == steps[0])


@of_each_code
def test_tensors_give_the_same_as_the_code(code: Code) -> None:
    words = torch.from_numpy(code.words().astype(np.int32))
    on_tensors, x = tensor_code(code), np.random.default_rng(0).uniform(-0.1, 1.2, 200)
    values = on_tensors.values(words, torch.float64).numpy()
    np.testing.assert_allclose(values, code.decode(code.words()), rtol=1e-12)
    rounded = on_tensors.rounded(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(rounded, code.decode(code.encode(x)), rtol=1e-12)
    gains = np.cumprod(np.array(code.gains) / 4096)
    spikes = on_tensors.spikes(words, torch.float32, signed=False).numpy()
    for t in range(1, code.timesteps + 1):
        assert np.array_equal(spikes[t - 1], code.spikes(code.words(), t))
        so_far = sum(code.spikes(code.words(), k) / gain for k, gain in enumerate(gains[:t], 1))
        arrived = on_tensors.arrived(torch.from_numpy(values), torch.ones(1, dtype=torch.float64), t).numpy()
        np.testing.assert_allclose(arrived, so_far, rtol=1e-3)


@of_each_code
def test_kernels_read_bits_phases_or_messages(code: Code) -> None:
    if isinstance(code, PositionalCode):
        words, of_kind = code.words(), code.timesteps + 256 * code.digit
    else:
        words, of_kind = np.append(code.words(), -code.words()), WITH_MESSAGE if code.payload_bits else 0
    assert code_bits(code) == of_kind
    read = kernel_codes(words[:, None], code)[:, 0].astype(np.int64)
    if isinstance(code, SingleSpikeCode) and code.payload_bits:
        phase, message = np.abs(read) >> 7, np.abs(read) % 128 * np.sign(read)
        assert np.array_equal(phase, code.phase_of(words))
        for k in range(1, code.timesteps + 1):
            assert np.array_equal(np.where(phase == k, message, 0), code.spikes(words, k))
    else:
        assert np.array_equal(read, words)


@of_each_code
def test_file_gives_the_code_back(code: Code) -> None:
    fields = code_fields(code) | {"code": np.array(INPUT_KINDS[code].encode(), "S8")}
    assert read_input_code(_fields(fields)) == code


def _fields(values: dict[str, np.ndarray]) -> Fields:
    return Fields({f"layer/0/onespike/{name}": value for name, value in values.items()}).at("layer/0/onespike")


@of_each_code
def test_equal_hashable_and_picklable(code: Code) -> None:
    again = pickle.loads(pickle.dumps(code))
    assert again == code and hash(again) == hash(code) and again.gains == code.gains


@pytest.mark.parametrize(
    ("gains", "message"),
    [
        ((), "codebook: must have at least one level, got none"),
        ((4096, 4096), "codebook: the ratio of successive levels must be above 1 and at most 4, got 1 to 1"),
        ((5000, 20000), "codebook: the ratio of successive levels must be above 1 and at most 4, got 1.221 to 4.883"),
    ],
)
def test_impossible_codebooks_are_refused(gains: tuple[int, ...], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Codebook(gains)
    assert str(caught.value) == message


def test_levels_of_a_codebook_must_be_positive() -> None:
    with pytest.raises(ConfigurationError, match=r"codebook: level at phase 2 must be positive, got 0\.0"):
        Codebook.nearest(np.array([0.5, 0.0]))


def test_nearest_codebook_keeps_the_levels() -> None:
    levels = np.array([1.0, 0.6, 0.37, 0.2, 0.07])
    np.testing.assert_allclose(Codebook.nearest(levels).levels(), levels, rtol=2e-4)
