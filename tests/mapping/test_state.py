"""Rows of state per neuron."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from loihi_onespike.mapping.state import pack_rows, state_rows
from tests.strategies import random_network


def test_rows_by_hand():
    assert pack_rows([24]) == 1
    assert pack_rows([24, 24, 8]) == 1  # 56 bits
    assert pack_rows([24, 24, 16]) == 1  # 64 bits
    assert pack_rows([24, 24, 24]) == 2  # a field does not straddle
    assert pack_rows([8] * 9) == 2
    with pytest.raises(ValueError, match="12 bits"):
        pack_rows([12])


def test_fields_never_fit_in_fewer_rows():
    """All ways to cut up to five fields into rows, against first fit."""

    def fewest(fields):
        for rows in range(1, len(fields) + 1):
            for choice in itertools.product(range(rows), repeat=len(fields)):
                if all(sum(f for f, c in zip(fields, choice, strict=True) if c == r) <= 64 for r in range(rows)):
                    return rows
        raise AssertionError

    for fields in itertools.combinations_with_replacement((8, 16, 24), 5):
        assert pack_rows(fields) == fewest(fields), fields


def test_bias_per_neuron_takes_a_second_row():
    network = random_network(1)
    population = network.hidden[0]
    size = int(np.prod(population.shape))
    many = np.arange(2, 2 + size).reshape(population.shape)
    assert size > 1

    def rows(threshold, bias):
        membrane = replace(population.membrane, bias=np.asarray(bias))
        return state_rows(replace(population, threshold=np.asarray(threshold), membrane=membrane))

    assert rows(2, 0) == 1  # v, flags
    assert rows(many, 0) == 1  # v, threshold, flags: 56 bits
    assert rows(2, many) == 1
    assert rows(many, many) == 2
    assert rows(np.full(population.shape, 7), many) == 1  # written out, and still one number
    readout = network.readout
    bias = np.arange(np.prod(readout.shape)).reshape(readout.shape)
    assert state_rows(replace(readout, membrane=replace(readout.membrane, bias=bias))) == 1
