"""Every option of a conversion is one field: signature, docstring, command line, record and checks follow from it."""

from __future__ import annotations

import inspect
from dataclasses import MISSING, make_dataclass
from typing import Any

import click
import pytest
import typer

import loihi_onespike as los
from loihi_onespike.cli.app import app
from loihi_onespike.cli.arguments.conversion_options import flag_of
from loihi_onespike.conversion.method import Method
from loihi_onespike.conversion.option_values import Integers, OptionInfo, Switch
from loihi_onespike.conversion.options import (
    ConversionOptions,
    called_with,
    option,
    option_fields,
    option_infos,
)
from loihi_onespike.errors import ConfigurationError

NAMES = tuple(option_infos())


def _flags(command: str) -> dict[str, click.Parameter]:
    """Options of a command by their names on the command line."""
    group: Any = typer.main.get_command(app)
    return {name: p for p in group.commands[command].params for name in p.opts}


@pytest.mark.parametrize("name", NAMES)
def test_convert_takes_the_option_with_its_default(name: str) -> None:
    parameter = inspect.signature(los.convert).parameters[name]
    default = next(f.default for f in option_fields() if f.name == name)
    assert parameter.kind is inspect.Parameter.KEYWORD_ONLY and parameter.default == default is not MISSING


@pytest.mark.parametrize("name", NAMES)
def test_the_docstring_of_convert_tells_the_option(name: str) -> None:
    told = " ".join((los.convert.__doc__ or "").split())
    assert f"{name}: {option_infos()[name].help}" in told and "{options}" not in told


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("command", ["convert", "evaluate", "diagnose"])
def test_the_command_line_has_the_option(command: str, name: str) -> None:
    info, flags = option_infos()[name], _flags(command)
    if isinstance(info.values, Switch):
        assert getattr(flags[flag_of(f"no_{name}")], "help", None) == info.values.off
        return
    default = next(f.default for f in option_fields() if f.name == name)
    assert getattr(flags[flag_of(name)], "help", None) == info.help and flags[flag_of(name)].default == default


def test_commands_with_some_of_the_options() -> None:
    assert {"--timesteps", "--wait"} <= set(_flags("demo")) and "--base" not in _flags("demo")
    assert {"--weight-bits", "--input-bits", "--method", "--without"} <= set(_flags("tune"))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"timesteps": 300}, r"timesteps: must be an integer in \[1, 256\], got 300"),
        ({"timesteps": True}, r"timesteps: must be an integer in \[1, 256\], got True"),
        ({"timesteps": 2.5}, r"timesteps: must be an integer in \[1, 256\], got 2.5"),
        ({"base": 1.0}, r"base: must be 'auto' or a number in \(1, 4\], got 1.0"),
        ({"base": "best"}, r"base: must be 'auto' or a number in \(1, 4\], got 'best'"),
        ({"wait": 0}, r"wait: must be None or an integer in \[1, 256\], got 0"),
        ({"wait": 17}, r"wait: must be None or an integer in \[1, 16\] \(the timesteps\), got 17"),
        ({"weight_bits": 9}, r"weight_bits: must be an integer in \[2, 8\], got 9"),
        ({"input_bits": 17}, r"input_bits: must be 'auto' or an integer in \[1, 16\], got 17"),
        ({"payload_bits": 5}, r"payload_bits: must be 'auto' or an integer in \[0, 4\], got 5"),
        ({"payload_bits": "all"}, r"payload_bits: must be 'auto' or an integer in \[0, 4\], got 'all'"),
        ({"payload_bits": None}, r"payload_bits: must be 'auto' or an integer in \[0, 4\], got None"),
        ({"input_code": "rate"}, "input_code: must be one of auto, binary, single, got 'rate'"),
        ({"normalization": "weight"}, "normalization: must be one of channel, layer, got 'weight'"),
        ({"threshold_shift": 1}, "threshold_shift: must be True or False, got 1"),
        ({"threshold_shift": "no"}, "threshold_shift: must be True or False, got 'no'"),
        ({"method": "best"}, "method: must be 'calibrated', 'paper' or a Method, got 'best'"),
    ],
)
def test_values_out_of_range(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{message}$"):
        ConversionOptions(**wrong)


def test_options_are_read_from_a_mapping_of_texts_or_values() -> None:
    read = ConversionOptions.from_mapping(
        {"timesteps": "12", "base": "1.5", "threshold_shift": "false", "input_bits": "auto", "method": {"bias": False}}
    )
    assert read == ConversionOptions(timesteps=12, base=1.5, threshold_shift=False, method=Method(bias=False))
    with pytest.raises(ConfigurationError, match=r"^options: must be among timesteps, base, .*, method, got timestep$"):
        ConversionOptions.from_mapping({"timestep": 12})
    with pytest.raises(ConfigurationError, match=r"^timesteps: must be an integer in \[1, 256\], got 'many'$"):
        ConversionOptions.from_mapping({"timesteps": "many"})
    with pytest.raises(ConfigurationError, match=r"^method: must be of the parts levels, .*, got biases$"):
        ConversionOptions.from_mapping({"method": {"biases": False}})


def test_a_new_option_is_one_field() -> None:
    info = OptionInfo(Integers(1, 3), "How often the layers are calibrated, 1 to 3.", "N")
    more = make_dataclass(
        "More", [("passes", int, option(1, info))], bases=(ConversionOptions,), frozen=True, kw_only=True
    )

    @called_with(more)
    def convert(given: Any) -> int:
        return int(given.passes) * int(given.timesteps)

    assert convert(passes=2, timesteps=8) == 16
    assert inspect.signature(convert).parameters["passes"].default == 1
    with pytest.raises(TypeError, match=r"^convert\(\) got an unexpected keyword argument 'pass_count'$"):
        convert(pass_count=2)


def test_the_method_of_the_paper_has_no_payload() -> None:
    with pytest.raises(ConfigurationError, match=r"payload_bits: must be 0 with method='paper', .*got 2; use method"):
        ConversionOptions(method="paper", payload_bits=2)
    assert ConversionOptions(method="paper").payload_bits == ConversionOptions().payload_bits == "auto"
    assert ConversionOptions(method="paper", payload_bits=0).payload_bits == 0


@pytest.mark.parametrize(("text", "bits"), [("auto", "auto"), ("0", 0), ("3", 3)])
def test_the_payload_is_read_from_a_text(text: str, bits: object) -> None:
    assert ConversionOptions.from_mapping({"payload_bits": text}) == ConversionOptions(payload_bits=bits)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        ({}, "balanced"),
        ({"objective": "accuracy"}, "accuracy"),
        ({"objective": "energy"}, "energy"),
        ({"price": 3.0}, "balanced"),
        ({"max_loss": 0.5, "base": 1.3}, "balanced"),
        ({"method": Method(levels=False, two_sided=False)}, "balanced"),
        ({"method": "paper"}, "accuracy"),
        ({"method": Method(scales=False)}, "accuracy"),
        ({"threshold_shift": False}, "accuracy"),
    ],
)
def test_the_objective_is_balanced_where_something_can_be_traded(options: dict[str, Any], chosen: str) -> None:
    given = ConversionOptions(**options)
    assert given.chosen_objective == chosen and (given.elasticity is None) == (chosen == "accuracy")


@pytest.mark.parametrize("name", ["price", "max_loss"])
def test_a_price_needs_something_to_trade(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name}: must be None with method='paper', .*got 2.0; leave them"):
        ConversionOptions(method="paper", **{name: 2.0})  # type: ignore[arg-type]
