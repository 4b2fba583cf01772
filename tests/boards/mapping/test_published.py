"""The accounting against partition tables of public notebooks."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from loihi_onespike.boards.mapping import Afferent, MappedLayer, map_layers
from loihi_onespike.boards.mapping.accounting import kernel_words, list_words
from loihi_onespike.boards.specification import load_board, load_chip
from loihi_onespike.core.maps import Sparse
from tests.boards.mapping.published import (
    LIF_ROWS,
    PILOTNET_LIF,
    PILOTNET_SDNN,
    SDNN_ROWS,
    YOLO_KP,
    YOLO_ROWS,
    chain,
    conv,
    dense,
    mnist,
)

RULES = load_chip("loihi_2").accounting
LIMITS = load_chip("loihi_2").core


def cores(mapping):
    return [len(s.grid) for s in mapping.splits]


def per_cent(words, limit):
    return 100 * words / limit.value


def board_of_2022():
    """The compiler that partitioned PilotNet knew 12,000 synapse words a core."""
    board = load_board("kapoho_point")
    older = replace(board.chip.core, synapse_words=replace(board.chip.core.synapse_words, value=12_000))
    return replace(board, chip=replace(board.chip, core=older))


def test_words_of_one_axon():
    # 50 targets: 50 (4 + 12) + 10 = 810 bits, 13 words; at 6 bits 910, 15 words; 1 target of 8 bits: 30 bits, 1 word
    assert [list_words(50, 4, RULES), list_words(50, 6, RULES), list_words(1, 8, RULES)] == [13, 15, 1]
    # one target more than 64 bits hold: 3 (8 + 12) + 10 = 70
    assert [list_words(2, 8, RULES), list_words(3, 8, RULES)] == [1, 2]


def test_worked_examples_of_convolution():
    # 64 channels of 8 bits: 522 bits, 9 words for each of 9 · 64 taps and input channels
    assert 9 * 64 * kernel_words(64, 8, RULES) == 5184
    # 512 input channels: 22 output channels take 3 words, 13,824 in all; 23 take 4 words, 18,432 are too many
    limit = LIMITS.synapse_words.value
    assert limit is not None
    assert 9 * 512 * kernel_words(22, 8, RULES) <= limit < 9 * 512 * kernel_words(23, 8, RULES)


def test_shares_of_the_limits():
    assert round(per_cent(784, LIMITS.axon_in_words), 2) == 4.90
    assert round(per_cent(3584, LIMITS.state_words), 2) == 87.52
    assert round(per_cent(2 * 2047, LIMITS.state_words), 2) == 99.98
    assert round(per_cent(1, LIMITS.neuron_groups), 2) == 12.50


def test_mnist():
    assert cores(map_layers(mnist(), "oheo_gulch")) == [3, 1, 1]  # 5 published


def test_s4d_relay_and_its_neighbours():
    """Notebook num_cores_estimate of lava-dl's state-space models: 4,096 S4D neurons, a relay of 256, 256 neurons."""
    spread = sp.csr_matrix(np.kron(np.eye(256), np.ones((16, 1))).astype(np.int16) * 2)
    gather = sp.csr_matrix(np.kron(np.eye(256), np.ones((1, 16))).astype(np.int16) * 2)
    layers = [
        MappedLayer("s4d", (4096,), 2, (Afferent("in", "input", (256,), Sparse(spread), None, 1),)),
        MappedLayer("relay", (256,), 1, (Afferent("relay", "s4d", (4096,), Sparse(gather), None, 1),)),
        MappedLayer("out", (256,), 1, (Afferent("out", "relay", (256,), dense(256, 256), None, 4),), True),
    ]
    mapping = map_layers(layers, "oheo_gulch")
    assert cores(mapping) == [3, 1, 3]
    first, relay, out = (s.uses[0] for s in mapping.splits)
    # 99.98 % of the neurons; 12.79 % of AxonMap
    assert (first.neurons, first.state_words, first.axon_map_words) == (2047, 4094, 2047)
    # printed 3.21 % of the synapses: 513 or 514 words, the rule gives 512
    assert abs(first.synapse_words - 513.5) <= 1.5
    assert (relay.axon_in_words, relay.state_words, relay.synapse_words, relay.axon_map_words) == (4096, 256, 4096, 256)
    assert relay.total_words == 8704 and round(per_cent(8704, LIMITS.total_words), 2) == 43.52
    # 51.20 % of the synapses, 1.60 % of AxonIn, 127 neurons
    assert (out.neurons, out.synapse_words, out.axon_in_words) == (127, 8192, 256)
    assert abs(per_cent(out.total_words, LIMITS.total_words) - 43.52) <= 0.0101


def test_yolo_kp_row_by_row():
    mapping = map_layers(YOLO_KP, "kapoho_point")
    assert mapping.fits and len(mapping.placement.cores) == 574
    blocks_alike = 0
    for split, (state, synapses, axon_map, total, count, block) in zip(mapping.splits, YOLO_ROWS, strict=True):
        use = split.uses[0]
        assert len(split.grid) == count, split.layer.name
        assert abs(per_cent(use.state_words, LIMITS.state_words) - state) < 0.01
        assert abs(per_cent(use.synapse_words, LIMITS.synapse_words) - synapses) < 0.01
        assert abs(per_cent(use.axon_map_words, LIMITS.axon_map_words) - axon_map) < 0.01
        # AxonMem is an upper bound; all of it is at most 2 % of the sum more than printed
        assert -0.02 < per_cent(use.total_words, LIMITS.total_words) - total < 2
        blocks_alike += split.grid.sizes == block[::-1]
    assert blocks_alike == 7  # the three others have as many cores of another shape


@pytest.mark.parametrize(("layers", "rows"), [(PILOTNET_LIF, LIF_ROWS), (PILOTNET_SDNN, SDNN_ROWS)])
def test_pilotnet_row_by_row(layers, rows):
    """All rows but that of the layer 2560 → 100, which the compiler of 2022 cut in 6 times 2 instead of in halves."""
    mapping = map_layers(layers, board_of_2022())
    for split, (synapses, count) in zip(mapping.splits, rows, strict=True):
        if split.layer.shape == (100,):
            assert len(split.grid) == 10 and count == 12
            continue
        assert len(split.grid) == count, split.layer.name
        if synapses:
            assert split.uses[0].synapse_words == synapses


@pytest.mark.parametrize(("layers", "published"), [(PILOTNET_LIF, 74), (PILOTNET_SDNN, 61)])
def test_pilotnet_totals(layers, published):
    for board in (load_board("oheo_gulch"), board_of_2022()):
        found = len(map_layers(layers, board).placement.cores)
        assert abs(found - published) <= 0.15 * published, (board.name, found)


def test_exact_pilotnet_totals():
    """What docs/mapping.md says."""
    totals = [
        len(map_layers(y, b).placement.cores)
        for y in (PILOTNET_LIF, PILOTNET_SDNN)
        for b in ("oheo_gulch", board_of_2022())
    ]
    assert totals == [67, 72, 59, 59]


def test_convolutions_are_not_shared_on_loihi_1():
    layers = chain((2, 8, 8), [((4, 6, 6), conv(4, 2, (3, 3)), 8)])
    (split,) = map_layers(layers, "nahuku_8").splits
    # every input place is an axon with 4 · (1 … 9) targets; 6 · 6 outputs read 9 places of each of 2 channels
    reads = np.convolve(np.ones(6, int), np.ones(3, int))
    words = sum(-(-(4 * a * b * 20 + 10) // 64) for a in reads for b in reads) * 2
    assert len(split.grid) == 1
    assert (split.uses[0].axon_in_words, split.uses[0].synapse_words) == (128, words)
    (shared,) = map_layers(layers, "oheo_gulch").splits
    assert shared.uses[0].synapse_words == 9 * 2 * 1  # 4 channels of 8 bits: 42 bits
