"""Files of one's own, and every way they can be wrong."""

from importlib import resources

import pytest

from loihi_onespike.boards.specification import load_board, load_chip
from loihi_onespike.errors import BoardError

BOARD = """\
name = "Desk"
chip = "loihi_2"
chips = { value = 3, status = "U", source = "this test" }
usable_cores_per_chip = { value = 100, status = "U", source = "this test" }
power_max_w = { status = "NF" }
steppings = { value = ["N3B3"], status = "U", source = "this test" }
chip_columns = { status = "NF" }
chip_rows = { status = "NF" }
"""


def write(folder, text, name="desk.toml"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def problems(path):
    with pytest.raises(BoardError) as caught:
        load_board(path)
    assert all(str(p) in str(caught.value) for p in caught.value.problems)
    return {p.key: p.message for p in caught.value.problems}


def test_a_board_of_ones_own(tmp_path):
    board = load_board(write(tmp_path, BOARD))
    assert (board.id, board.name, board.cores) == ("desk", "Desk", 300)
    assert board.chip == load_chip("loihi_2")


def test_a_chip_of_ones_own_lies_beside_the_board(tmp_path):
    text = (resources.files("hw_configs") / "chips" / "loihi_2.toml").read_text(encoding="utf-8")
    write(tmp_path, text.replace("value = 16000", "value = 12000"), "older.toml")
    board = load_board(write(tmp_path, BOARD.replace("loihi_2", "older.toml")))
    assert board.chip.core.synapse_words.value == 12_000


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ("power_max_w", "power_max_mw", "power_max_mw", "the unit is part of the key, which must be power_max_w"),
        ("chip_rows", "chip_rowz", "chip_rowz", "did you mean chip_rows"),
        ("value = 3", "value = 3.5", "chips.value", "valid integer"),
        ("value = 3", "value = true", "chips.value", "valid integer"),
        ("value = 3", 'value = "3"', "chips.value", "valid integer"),
        ("value = 3", "value = -3", "chips", "must not be negative"),
        ("value = 3", "value = 0", "chips", "a number above 0"),
        ("value = 3, ", "", "chips", "no value with status U"),
        ('status = "U", ', "", "chips.status", "is missing"),
        ('"U", source = "this test"', '"U"', "chips", "a value without a source"),
        ('"U", source = "this test"', '"U", source = " "', "chips", "a value without a source"),
        ('status = "U"', 'status = "X"', "chips.status", "'P', 'C', 'I', 'U' or 'NF'"),
        ('status = "U"', 'status = "NF"', "chips", "value 3 with status NF"),
        ("value = 3,", "value = 3, unit = 1,", "chips.unit", "is not a key"),
        ('chip_rows = { status = "NF" }', "", "chip_rows", 'not known is { status = "NF" }'),
        ("value = 100", "value = 129", "usable_cores_per_chip", "must be at most 128, the cores of Loihi 2, got 129"),
        ('"loihi_2"', '"loihi_3"', "chip", "must be one of loihi_1, loihi_2"),
    ],
)
def test_what_is_refused(tmp_path, old, new, key, words):
    assert old in BOARD
    found = problems(write(tmp_path, BOARD.replace(old, new, 1)))
    assert words in found[key], found


def test_all_problems_are_told_at_once(tmp_path):
    text = BOARD.replace("value = 3", "value = 3.5").replace("power_max_w", "power_w").replace("loihi_2", "loihi_9")
    assert set(problems(write(tmp_path, text))) == {"chips.value", "power_w", "power_max_w", "chip"}


def test_a_repeated_key(tmp_path):
    assert "is not TOML" in problems(write(tmp_path, BOARD + 'name = "Desk"\n'))[""]


def test_problems_of_the_chip_name_its_file(tmp_path):
    text = (resources.files("hw_configs") / "chips" / "loihi_2.toml").read_text(encoding="utf-8")
    write(tmp_path, text.replace("barrier_min_ns", "barrier_min_us"), "late.toml")
    with pytest.raises(BoardError) as caught:
        load_board(write(tmp_path, BOARD.replace("loihi_2", "late.toml")))
    keys = {p.key: p for p in caught.value.problems}
    assert set(keys) == {"timing.barrier_min_us", "timing.barrier_min_ns"}
    assert keys["timing.barrier_min_us"].file.endswith("late.toml")
    assert "must be barrier_min_ns" in keys["timing.barrier_min_us"].message


def test_no_such_board():
    assert "did you mean kapoho_point" in problems("kapoho_pint")[""]
    assert "no such file" in problems("nowhere/board.toml")[""]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ('value = 3, status = "U", source = "s", low = 2', "a range without a value or without a range_source"),
        ('value = 3, status = "U", source = "s", low = 4, range_source = "r"', "range 4 to 3, must hold the value 3"),
        ('value = 3, status = "U", source = "s", bound = "least"', "got 'least'"),
    ],
)
def test_ranges_that_cannot_be(tmp_path, given, words):
    text = BOARD.replace('chips = { value = 3, status = "U", source = "this test" }', f"chips = {{ {given} }}")
    assert any(words in message for message in problems(write(tmp_path, text)).values())
