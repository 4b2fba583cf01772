"""What a mapping says: limits that are not kept, the board that would do, what is not known."""

from dataclasses import replace

import numpy as np
import pytest

from loihi_onespike.boards.mapping import Afferent, MappedLayer, map_layers, map_network, map_to_smallest
from loihi_onespike.boards.mapping.mapped_layer import weight_bits
from loihi_onespike.boards.specification import load_board
from loihi_onespike.core.maps import Dense, Diagonal
from loihi_onespike.errors import BoardError, ConfigurationError
from tests.boards.mapping.boards import narrow
from tests.boards.mapping.published import YOLO_KP, chain, conv, dense, mnist
from tests.support import networks


def test_a_layer_that_no_core_can_hold():
    """The first linear layer of VGG-16: each of its neurons reads 25,088 axons."""
    layers = chain((512, 7, 7), [((4096,), dense(4096, 25_088), 8), ((10,), dense(10, 4096), 8)])
    mapping = map_layers(layers, "hala_point")
    found = {v.resource: (v.found, v.limit) for v in mapping.violations}
    # one word per axon with one target; AxonIn + state + synapses + AxonMap: 25,088 + 1 + 25,088 + 1
    assert found == {
        "axon_in_words": (25_088, 16_000),
        "synapse_words": (25_088, 16_000),
        "total_words": (50_178, 20_000),
    }
    assert {v.layer for v in mapping.violations} == {"layer0"}
    assert all("pool before it" in v.remedy for v in mapping.violations)
    assert not mapping.fits and mapping.smallest_board is None
    assert any("layer0" in note for note in mapping.notes)
    assert sum(c.block.neurons for c in mapping.placement.cores if c.layer == "layer0") == 4096


def test_too_many_cores_for_the_board():
    mapping = map_layers(YOLO_KP, "oheo_gulch", name="YOLO-KP")
    (violation,) = mapping.violations
    assert (violation.layer, violation.found, violation.limit) == ("YOLO-KP", 574, 120)
    assert mapping.smallest_board == "kapoho_point" and "take kapoho_point" in violation.remedy
    assert str(violation) == "YOLO-KP: requires 574 cores, limit 120; take kapoho_point"


def test_the_smallest_board_is_of_the_same_chip():
    assert map_layers(mnist(), "hala_point").smallest_board == "oheo_gulch"
    assert map_layers(mnist(), "pohoiki_springs").smallest_board == "kapoho_bay"
    own = narrow("oheo_gulch", cores_per_chip=4)
    mapping = map_layers(mnist(), replace(own, id="mine"))
    assert mapping.smallest_board == "oheo_gulch" and [v.resource for v in mapping.violations] == ["cores"]
    other_chip = replace(narrow("oheo_gulch", synapse_words=15_999), id="mine")
    assert map_layers(mnist(), other_chip).smallest_board == "mine"


def test_a_network_goes_to_the_smallest_board():
    network = networks.chain()
    tiny = replace(narrow("oheo_gulch", cores_per_chip=1), id="tiny")
    assert not map_network(network, tiny).fits
    found = map_to_smallest(network, tiny)
    assert found.fits and found.placement.board.id == "oheo_gulch"
    board = load_board("oheo_gulch")
    assert map_to_smallest(network, board).placement.board is board
    hopeless = narrow("oheo_gulch", state_words=1)
    assert map_to_smallest(network, hopeless).placement.board is hopeless


def test_unknown_limits_are_told_and_not_checked():
    mapping = map_layers(mnist(), "kapoho_bay")
    assert mapping.utilisation()["input_lists"] == (784, 4096)
    assert mapping.utilisation()["axon_in_words"] == (784, None)
    assert mapping.utilisation()["synapse_words"][1] == 16_384
    assert any("neuron_groups" in n and "not public" in n for n in mapping.notes)
    # a limit that is not there for a reason is not called unknown
    assert not any("axon_in_words" in n or "state_words" in n for n in mapping.notes)
    assert any("fixed" in n for n in mapping.notes)


def test_axons_of_loihi_1_are_limited():
    """4,096 input lists and 4,096 edges a core (Davies et al. 2018, p. 89)."""
    layers = chain((512, 7, 7), [((512, 7, 7), conv(512, 512, (3, 3), (1, 1), (1, 1)), 8)])
    (violation,) = map_layers(layers, "pohoiki_springs").violations
    # a neuron in the middle reads 9 places of 512 channels
    assert (violation.resource, violation.found, violation.limit) == ("input_lists", 9 * 512, 4096)
    assert "fewer input channels" in violation.remedy
    # 1,000 axons of 16 words: ⌊(16 · 64 - 10) / 21⌋ = 48 targets of 9 bits, so halving 512 ends at 31 neurons, 17 cores
    layers = chain((4,), [((1000,), dense(1000, 4), 1), ((512,), dense(512, 1000), 9)])
    first, second = map_layers(layers, "nahuku_8").splits
    assert (second.grid.sizes, len(second.grid)) == ((31,), 17)
    # every neuron has an edge to all 17: 249 neurons would have 4,233
    assert first.grid.sizes == (124,) and first.uses[0].fan_out_edges == 124 * 17
    assert map_layers(layers, "oheo_gulch").utilisation()["fan_out_edges"][1] is None


def test_two_accountings_of_convolutions():
    """Quartz writes lists, NxTF shares kernels: what fits is a matter of the compiler."""
    layers = chain((16, 8, 8), [((16, 8, 8), conv(16, 16, (3, 3), (1, 1), (1, 1)), 8)])
    board = load_board("nahuku_8")
    (lists,) = map_layers(layers, board).splits
    (kernels,) = map_layers(layers, board.with_convolution("kernels")).splits
    assert len(kernels.grid) == 1 and kernels.uses[0].synapse_words == 9 * 16 * 3
    assert kernels.uses[0].input_lists == 64  # one for all channels of a place
    assert len(lists.grid) > 1
    assert map_layers(layers, board.with_convolution("kernels")).smallest_board == "kapoho_bay"
    with pytest.raises(ConfigurationError, match="convolution: must be one of kernels, lists on Loihi 1, got 'tables'"):
        board.with_convolution("tables")


def test_taps_that_see_padding_alone_take_no_words():
    """3 × 3 with padding 1 over one place is a 1 × 1 convolution: the last layers of a ResNet-18 for 32 × 32 images."""
    layers = chain((512, 1, 1), [((512, 1, 1), conv(512, 512, (3, 3), (1, 1), (1, 1)), 8)])
    (split,) = map_layers(layers, "oheo_gulch").splits
    # 512 · ⌈(128 · 8 + 10) / 64⌉ = 8,704 words for 128 channels; 256 channels take 16,896
    assert split.grid.sizes == (128, 1, 1) and split.uses[0].synapse_words == 512 * 17


def test_a_block_that_misses_the_limit_by_one_is_not_halved():
    """16 · 32 · 8 = 4,096 words of state are one more than a core has."""
    layers = chain((16, 32, 32), [((16, 32, 32), conv(16, 16, (3, 3), (1, 1), (1, 1)), 8)])
    (split,) = map_layers(layers, "oheo_gulch").splits
    # 7 rows: 3,584 words on 5 cores; halving leaves 2,048 words on 8
    assert split.grid.sizes == (16, 7, 32) and len(split.grid) == 5
    assert max(u.state_words for u in split.uses) == 3584


def test_weights_of_zero_take_no_words_in_a_list():
    """Lists of a sparse matrix leave them out, a dense matrix and a kernel store them."""
    weight = np.array([[2, 0], [0, 0], [4, 0]], np.int16)

    def use(**kind):
        afferent = Afferent("a", "input", (2,), Dense(weight), weight_bits=8, **kind)
        (split,) = map_layers([MappedLayer("a", (3,), 1, (afferent,))], "oheo_gulch").splits
        return split.uses[0].axon_in_words, split.uses[0].synapse_words

    assert use() == (2, 4)  # 3 targets of 20 bits and 10: 2 words for each of two axons
    assert use(axon_delay=1) == (1, 1)  # Lava's sparse process: one axon with two targets, 50 bits
    assert use(index=np.array([0, 1])) == (1, 1)


def test_a_delay_beyond_the_field():
    layers = mnist()
    late = replace(layers[1], afferents=(replace(layers[1].afferents[0], axon_delay=63),))
    mapping = map_layers([layers[0], late, layers[2]], "oheo_gulch")
    assert [(v.layer, v.resource, v.found, v.limit) for v in mapping.violations] == [("layer1", "delay_steps", 63, 62)]


def test_wide_maps_are_noted():
    assert any("224" in n and "layer0" in n for n in map_layers(YOLO_KP, "kapoho_point").notes)


def test_channels_are_cut_only_as_far_as_the_kernel_demands():
    """512 → 512 channels: 22 output channels fit, so blocks of 16; two rows of state: 4,095 / (2 · 16) places."""
    layers = chain((512, 14, 14), [((512, 14, 14), conv(512, 512, (3, 3), (1, 1), (1, 1)), 8)])
    layers = [replace(layers[0], state_rows=2)]
    (split,) = map_layers(layers, "hala_point").splits
    # 16 columns · 14 rows · 16 channels · 2 rows of state = 7,168 > 4,095: cut once; columns first: 8 · 14 · 16 · 2
    assert split.grid.sizes == (16, 14, 8) and len(split.grid) == 32 * 2
    assert split.uses[0].state_words == 3584 and split.uses[0].synapse_words == 9 * 512 * 3


def test_gathers():
    """Lava's convolution takes no gather: every neuron behind a place has a list of its own."""
    places = np.arange(3 * 4 * 4, dtype=np.int32).reshape(3, 4, 4)
    joined = np.concatenate([np.full((2, 4, 4), -1, np.int32), places])
    one = Diagonal(np.array(2, np.int16))

    def use(index, op=one):
        afferent = Afferent("a", "input", (3, 4, 4), op, index, 2)
        (split,) = map_layers([MappedLayer("a", (5, 4, 4), 1, (afferent,))], "oheo_gulch").splits
        return split.uses[0]

    plain = Afferent("a", "input", (3, 4, 4), one, None, 2)
    (split,) = map_layers([MappedLayer("a", (3, 4, 4), 1, (plain,))], "oheo_gulch").splits
    assert (split.uses[0].axon_in_words, split.uses[0].synapse_words) == (2, 3)  # three channels, one word each
    gathered = use(joined)
    assert (gathered.axon_in_words, gathered.synapse_words) == (48, 48)
    shifted = use(np.roll(joined, 1, axis=2))
    assert (shifted.axon_in_words, shifted.synapse_words) == (48, 48)  # an axon with one target for every place
    per_neuron = use(joined, Diagonal(np.full((5, 4, 4), 2, np.int16)))
    assert (per_neuron.axon_in_words, per_neuron.synapse_words) == (48, 48)


@pytest.mark.parametrize(
    ("low", "high", "bits"), [(-254, 254, 8), (-256, 254, 8), (-126, 126, 7), (2, 2, 2), (0, 0, 1), (-2, 0, 1)]
)
def test_bits_of_even_weights(low, high, bits):
    """b bits of mixed sign hold -2^b … 2^b - 2."""
    assert weight_bits(dense(1, 1).__class__(np.array([[low, high]], np.int16))) == bits


def test_an_unknown_board():
    with pytest.raises(BoardError):
        map_layers(mnist(), "nowhere")


def test_a_mapping_does_not_depend_on_the_size_of_the_board():
    small, large = (map_layers(YOLO_KP, b).placement for b in ("kapoho_point", "vpx_16"))
    assert [(c.layer, c.block, c.chip, c.core) for c in small.cores] == [
        (c.layer, c.block, c.chip, c.core) for c in large.cores
    ]
    assert load_board("vpx_16").chip == load_board("kapoho_point").chip
