"""Rounding up or down by place: evenly distributed, without mean error, the same sparse and dense."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from loihi_onespike.core.codes import Base, BinaryCode, Code, Codebook, DigitCode, PayloadCode, PhaseCode
from loihi_onespike.core.dither import at_places, encode_dithered, of_sample
from loihi_onespike.core.encoding import encode_input
from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.core.graphs.network import InputPopulation

CODES = [
    BinaryCode(4),
    DigitCode(5, 2),
    PhaseCode(Base.nearest(1.5), 6, threshold_shift=False),
    Codebook((5000, 8000, 16000)),
    PayloadCode((5000, 40000), (7, 5, 3, 2, 7, 5, 4, 1)),
]


def test_places_follow_splitmix64() -> None:
    # The first three numbers of SplitMix64 from seed 0.
    wanted = np.array([0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F], np.uint64)
    assert np.array_equal(at_places(np.arange(3)), (wanted >> np.uint64(11)) / 2.0**53)


@pytest.mark.parametrize("code", CODES, ids=lambda code: type(code).__name__)
def test_values_of_a_code_stay_and_others_keep_their_mean(code: Code) -> None:
    values, u = np.sort(code.decode(code.words())), at_places(np.arange(100_000))
    for value in values:
        assert np.all(code.decode(encode_dithered(code, np.full(100, value), u[:100])) == value)
    for x in (values[1] / 8, *([0.3 * values[-2] + 0.7 * values[-1]] if code.even_steps else [])):
        sent = code.decode(encode_dithered(code, np.full(u.shape, x), u))
        near = values[np.searchsorted(values, x) + np.array([-1, 0])]
        assert np.array_equal(np.unique(sent), near) and sent.mean() == pytest.approx(x, abs=0.02 * np.diff(near)[0])
    beyond = np.array([-1.0, 2 * values[-1]])
    assert code.decode(encode_dithered(code, beyond, u[:2])).tolist() == [0, values[-1]]


def test_uneven_levels_are_rounded_to_the_nearest_above_the_smallest() -> None:
    code, u = Codebook((5000, 8000, 16000)), at_places(np.arange(1000))
    x = np.linspace(code.levels()[-1], 1.0, 1000)
    assert np.array_equal(encode_dithered(code, x, u), code.encode(x))


def test_half_way_up_is_sent_where_u_is_below_a_half() -> None:
    # u = 0.88, 0.43, 0.03 at the first three places, see above.
    assert encode_dithered(BinaryCode(3), np.full(3, 2.5 / 8), at_places(np.arange(3))).tolist() == [2, 3, 3]


def test_a_sparse_sample_has_the_words_of_the_dense_one() -> None:
    matrix = sp.random(30, 70, 0.3, random_state=0, format="csr")
    population = InputPopulation("input", (30, 70), BinaryCode(3), np.linspace(2.0, 4.0, 70), np.zeros(()), True)
    words = encode_input(population, SparseSample(matrix))
    assert isinstance(words, SparseSample) and words.matrix.nnz == matrix.nnz
    dense = matrix.toarray()[None]
    assert np.array_equal(words.matrix.toarray(), encode_input(population, dense)[0])
    assert not np.array_equal(encode_input(replace(population, dithered=False), dense), encode_input(population, dense))
    assert of_sample(dense).shape == (30, 70)
