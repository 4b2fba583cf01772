"""What an option accepts, how it reads texts, and how messages describe it."""

from __future__ import annotations

import pytest

from loihi_onespike.conversion.option_values import Choices, Integers, Numbers, OptionInfo, Switch
from loihi_onespike.conversion.options import (
    check_option,
    describe,
)
from loihi_onespike.errors import ConfigurationError


def test_values_that_an_option_accepts() -> None:
    assert Numbers(1, 4).accepts(4) and not Numbers(1, 4).accepts(1.0) and not Numbers(1, 4).accepts(float("nan"))
    assert Choices(("a", "b")).read("a") == "a" and not Choices(("a", "b")).accepts("c")
    assert Switch("").read("True") is True
    check_option("timesteps", 256)
    with pytest.raises(ConfigurationError, match="timesteps"):
        check_option("timesteps", 257)
    assert all(len(line) <= 120 for line in describe().splitlines())


def test_texts_of_the_command_line() -> None:
    number, word = OptionInfo(Integers(1, 16), "", words=("auto",)), OptionInfo(Numbers(1, 4), "")
    assert number.read("bits", "8") == 8 and number.read("bits", "auto") == "auto" and word.read("base", "1.5") == 1.5
    with pytest.raises(ConfigurationError, match=r"^bits: must be 'auto' or an integer in \[1, 16\], got 17$"):
        number.read("bits", "17")
    with pytest.raises(ConfigurationError, match=r"^base: must be a number in \(1, 4\], got 'big'$"):
        word.read("base", "big")


def test_none_is_accepted_only_where_it_is_a_word() -> None:
    OptionInfo(Integers(1, 16), "", words=(None,)).check("wait", None)
    with pytest.raises(ConfigurationError, match="wait: must be an integer"):
        OptionInfo(Integers(1, 16), "").check("wait", None)


def test_integers_are_no_booleans() -> None:
    assert Integers(0, 3).accepts(1) and not Integers(0, 3).accepts(True) and not Integers(0, 3).accepts(1.0)
