"""Networks with payload on boards: refused where the chip has no messages of their width, and noted where it has."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from loihi_onespike.boards.mapping import check_placement, map_network
from loihi_onespike.boards.specification import load_board
from loihi_onespike.boards.specification.spec import Board, Quantity
from loihi_onespike.core.codes import PayloadCode
from loihi_onespike.core.graphs.network import Network, Readout, Synapse
from loihi_onespike.core.graphs.verify_network import verify
from loihi_onespike.core.maps import Conv, Window
from loihi_onespike.errors import DeploymentError
from tests.support.lava_networks import everything, graded, membrane, source


def with_payload(bits: int | None) -> Board:
    """Oheo Gulch with another width of the payload, or an unknown one."""
    board = load_board("oheo_gulch")
    width: Quantity[int] = Quantity("NF") if bits is None else Quantity("I", bits, "made up")
    return replace(board, chip=replace(board.chip, neuron=replace(board.chip.neuron, payload_bits=width)))


def test_loihi_2_carries_them_and_the_words_are_told() -> None:
    network = graded(1)
    mapping = map_network(network, "oheo_gulch")
    (note,) = (n for n in mapping.notes if "messages" in n)
    # Messages up to 5 take 3 bits and the sign.
    assert note.startswith(
        "spikes of 5 of 5 populations carry messages of up to 4 bits, sign included; Loihi 2 has 32 bits"
    )
    assert "not public" in note
    assert mapping.fits and check_placement(network, mapping.placement) == []


def test_loihi_1_refuses_them() -> None:
    message = (
        r"^input: spikes must have messages of at most 0 bits on Nahuku 8 \(Loihi 1\), got 4; "
        r"convert with payload_bits=0, or take a board with graded spikes, such as kapoho_point$"
    )
    with pytest.raises(DeploymentError, match=message):
        map_network(graded(1), "nahuku_8")


def test_without_payload_nothing_changes() -> None:
    """Signed spikes are no payload; Loihi 1 counts their cores as before."""
    for board in ("nahuku_8", "oheo_gulch"):
        mapping = map_network(everything(1), board)
        assert mapping.placement.cores and not any("messages" in n for n in mapping.notes)


def test_the_width_decides_and_an_unknown_one_is_not_checked() -> None:
    network = graded(1)
    assert map_network(network, with_payload(4)).placement.cores
    with pytest.raises(DeploymentError, match="at most 3 bits on Oheo Gulch"):
        map_network(network, with_payload(3))
    notes = map_network(network, with_payload(None)).notes
    assert any("Loihi 2 has unknown bits [NF: ]" in n for n in notes)


def test_a_convolution_that_large_messages_make_lists_of_is_named() -> None:
    """6,000 inputs of weight 254 reach 2^23 with messages of 6, and not with 5."""
    shape = (6000, 1, 1)
    op = Conv(np.full((1, *shape), 254, np.int16), Window.plain((1, 1)))
    for largest, said in ((5, 0), (6, 1)):
        out = Readout("out", (1, 1, 1), membrane(4096, 1))
        populations = (source(shape, PayloadCode((4096,), (largest, 1))), out)
        network = verify(Network("n", populations, (Synapse("out", "input", "out", op),)))
        found = [n for n in map_network(network, "oheo_gulch").notes if n.startswith("out: stored as lists of targets")]
        assert len(found) == said
        assert not said or "fewer bits of payload" in found[0]
