"""The shipped boards: complete, sourced, and nothing in them that is not public."""

from dataclasses import fields, is_dataclass

import pytest

from loihi_onespike.boards.specification import Quantity, boards, load_board, load_chip

# chips, cores a network may occupy (chips × usable cores of a chip: 120 on N3B3 and N3C1 boards, 122 on Hala Point)
EXPECTED = {
    "oheo_gulch": (1, 120),
    "kapoho_point": (8, 960),
    "vpx_16": (16, 1920),
    "hala_point": (1152, 140_544),
    "kapoho_bay": (2, 256),
    "nahuku_8": (8, 1024),
    "nahuku_32": (32, 4096),
    "pohoiki_springs": (768, 98_304),
}


def quantities(value, path=""):
    if isinstance(value, Quantity):
        yield path, value
    elif is_dataclass(value):
        for field in fields(value):
            yield from quantities(getattr(value, field.name), f"{path}.{field.name}")


def test_all_boards_are_there():
    assert set(boards()) == set(EXPECTED)
    generations = [load_board(b).chip.generation for b in boards()]
    assert generations == [2] * 4 + [1] * 4
    cores = [load_board(b).cores for b in boards()]
    assert cores[:4] == sorted(cores[:4]) and cores[4:] == sorted(cores[4:])


@pytest.mark.parametrize("name", EXPECTED)
def test_sizes(name):
    board = load_board(name)
    assert (board.chips.value, board.cores) == EXPECTED[name]
    assert board.id == name and board.chip.name == ("Loihi 2" if name in list(EXPECTED)[:4] else "Loihi 1")


@pytest.mark.parametrize("name", EXPECTED)
def test_every_number_has_a_source(name):
    found = list(quantities(load_board(name)))
    assert len(found) > 40
    for path, quantity in found:
        assert quantity.known == (quantity.status != "NF"), path
        assert quantity.source or not quantity.known, path
        bound = f" ({quantity.bound})" if quantity.bound else ""
        assert str(quantity) == ("unknown" if not quantity.known else f"{quantity.value}{bound}"), path
        assert not (quantity.low or quantity.high) or quantity.range_source, path


def test_loihi_2_energy_is_unknown():
    """Never published; an estimate from another chip's table has no place in this file."""
    for path, quantity in quantities(load_chip("loihi_2").energy):
        assert quantity.status == "NF" and str(quantity) == "unknown", path


def test_loihi_1_table_of_davies_2018():
    energy, timing = load_chip("loihi_1").energy, load_chip("loihi_1").timing
    assert energy.synaptic_operation_pj.value == 23.6 and timing.synaptic_operation_ns.value == 3.5
    assert (energy.neuron_update_active_pj.value, energy.neuron_update_inactive_pj.value) == (81.0, 52.0)
    assert (energy.hop_east_west_pj.value, energy.hop_north_south_pj.value) == (3.0, 4.0)
    assert (timing.barrier_min_ns.value, timing.barrier_max_ns.value) == (113.0, 465.0)
    # as the table prints them: "(min)" and "(max)"
    assert str(energy.synaptic_operation_pj) == "23.6 (min)" and str(timing.synaptic_operation_ns) == "3.5 (max)"
    assert (energy.synaptic_operation_pj.least, energy.synaptic_operation_pj.largest) == (23.6, 33.6)
    # two readings of a message that leaves its core
    assert (energy.spike_within_tile_pj.value, energy.message_from_core_pj.value) == (1.7, 111.0)


def test_loihi_1_limits_of_davies_2018_page_89():
    core = load_chip("loihi_1").core
    assert (core.input_lists.value, core.fan_out_edges.value) == (4096, 4096)
    assert "p. 89" in core.input_lists.source and "p. 89" in core.fan_out_edges.source


def test_times_of_loihi_2_follow_from_loihi_1_by_the_factors_that_intel_states():
    first, second = load_chip("loihi_1").timing, load_chip("loihi_2").timing
    assert (first.synaptic_operation_ns.value, second.synaptic_operation_ns.value) == (3.5, 3.5 / 5)
    assert (first.neuron_update_active_ns.value, second.microcode_pass_ns.value) == (8.4, 8.4 / 2)
    assert {second.synaptic_operation_ns.status, second.microcode_pass_ns.status} == {"I"}
    assert second.barrier_of_chips_ns.status == "U" and "without a source" in second.barrier_of_chips_ns.source


@pytest.mark.parametrize("name", ["loihi_1", "loihi_2"])
def test_mesh_holds_the_cores_of_the_chip(name):
    chip = load_chip(name)
    mesh, cores = chip.mesh, chip.core.cores_per_chip.value
    columns, rows, per_tile = mesh.tile_columns.value, mesh.tile_rows.value, mesh.cores_per_tile.value
    assert columns is not None and rows is not None and columns * rows * (per_tile or 0) == cores


def test_names_as_people_write_them():
    assert load_board("Hala Point").id == load_board("hala-point").id == "hala_point"
