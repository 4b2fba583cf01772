"""The options of a conversion on the command line, made from the fields of `ConversionOptions`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Optional, TypeVar

import typer

from loihi_onespike.conversion.method import Method
from loihi_onespike.conversion.option_values import Integers, OptionInfo, Switch
from loihi_onespike.conversion.options import ConversionOptions, option_fields, option_infos
from loihi_onespike.errors import ConfigurationError

CONVERSION = "Conversion"
"""Heading of these options in the help of a command."""

G = TypeVar("G", bound="ConversionGroup")


@dataclass(frozen=True)
class ConversionGroup:
    """Options of a conversion that a command has, see `conversion_group`.

    Attributes:
        option_names: names of the fields of `ConversionOptions` that they set.
    """

    option_names: ClassVar[tuple[str, ...]] = ()

    def keywords(self) -> dict[str, Any]:
        """What `convert` takes; raises ConfigurationError naming the option whose value is out of range."""
        infos = option_infos()
        found: dict[str, Any] = {name: self._value(name, infos[name]) for name in self.option_names}
        ConversionOptions(**found)
        return found

    def _value(self, name: str, info: OptionInfo) -> object:
        if name == "method":
            return method_of(self.method, self.without or ())  # type: ignore[attr-defined]
        if isinstance(info.values, Switch):
            return getattr(self, name) if hasattr(self, name) else not getattr(self, f"no_{name}")
        value, flag = getattr(self, name), flag_of(name)
        if isinstance(value, str):
            return info.read(flag, value)
        info.check(flag, value)
        return value


def conversion_group(*names: str) -> Callable[[type[G]], type[G]]:
    """Decorator that gives a group the options of these names, all of them where none is named.

    The group becomes a dataclass whose fields `groups.grouped` turns into options of a command: those of the
    conversion first, then those that the class has itself.
    """

    def made(kind: type[G]) -> type[G]:
        own = inspect.get_annotations(kind)
        kind.option_names = names or tuple(option_infos())
        annotations: dict[str, Any] = {}
        for name in kind.option_names:
            for parameter, annotation, default in _parameters(name):
                annotations[parameter] = annotation
                setattr(kind, parameter, default)
        kind.__annotations__ = {**annotations, **own}
        return dataclass(frozen=True)(kind)

    return made


def flag_of(name: str) -> str:
    """The option of the command line for a field: `--weight-bits` for `weight_bits`."""
    return "--" + name.replace("_", "-")


def method_of(name: str, without: Sequence[str]) -> Method:
    """The method that --method and --without give.

    Args:
        name: value of --method.
        without: values of --without, the parts to leave out.

    Raises:
        ConfigurationError: a name or a part that does not exist, or parts of a method that has none.
    """
    option_infos()["method"].check("--method", name)
    method = Method.of(name)  # type: ignore[arg-type]
    if without and not method.sequential:
        raise ConfigurationError(
            f"--without: requires --method calibrated, got {', '.join(without)} with --method {name}"
        )
    for part in without:
        if part not in Method.names():
            raise ConfigurationError(f"--without: must be one of {', '.join(Method.names())}, got {part!r}")
    return replace(method, **dict.fromkeys(without, False))


def _parameters(name: str) -> Iterator[tuple[str, Any, Any]]:
    """Name, annotation and default of the parameters of a command that set an option."""
    info = option_infos()[name]
    default = next(f.default for f in option_fields() if f.name == name)
    flag = flag_of(name)
    if isinstance(info.values, Switch):
        parameter, names, text = (
            (f"no_{name}", flag_of(f"no_{name}"), info.values.off) if default else (name, flag, info.help)
        )
        yield parameter, Annotated[bool, typer.Option(names, help=text, rich_help_panel=CONVERSION)], False
        return
    kind: Any = int if isinstance(info.values, Integers) and not any(info.words) else str
    if None in info.words:
        kind = Optional[kind]  # noqa: UP045  (a type that is known at run time only)
    shown: Any = {"show_default": info.none} if info.none else {}
    given = typer.Option(flag, metavar=info.metavar, help=info.help, rich_help_panel=CONVERSION, **shown)
    yield name, Annotated[kind, given], default
    if name == "method":
        parts = f"Leave out a part of the calibration, may be repeated: {', '.join(Method.names())}."
        without = typer.Option("--without", metavar="PART", help=parts, show_default=False, rich_help_panel=CONVERSION)
        yield "without", Annotated[Optional[list[str]], without], None  # noqa: UP045
