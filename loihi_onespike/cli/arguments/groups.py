"""Groups of options: a dataclass whose fields are the options is one parameter of a command."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from typing import Annotated, Any, ParamSpec, TypeVar, Union, get_args, get_origin, get_type_hints

P = ParamSpec("P")
R = TypeVar("R")


def grouped(function: Callable[P, R]) -> Callable[..., R]:
    """Decorator that replaces every dataclass parameter of a function by one parameter per field.

    A parameter `conversion: Conversion` becomes one parameter per field, in its place, with the annotation and the
    default of the field; the call builds the dataclass from them. The command line gives the options in this form.
    """
    hints = _hints(function)
    parameters: list[inspect.Parameter] = []
    groups: dict[str, type[Any]] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        kind = hints[name]
        if isinstance(kind, type) and is_dataclass(kind):
            groups[name] = kind
            parameters += _of_fields(kind)
        else:
            parameters.append(parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY))

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        given: dict[str, Any] = dict(kwargs)
        for name, kind in groups.items():
            given[name] = kind(**{f.name: given.pop(f.name) for f in fields(kind) if f.name in given})
        return function(*args, **given)

    flat = {p.name: p.annotation for p in parameters}
    call.__annotations__ = {**flat, "return": hints.get("return", None)}
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return call


def _of_fields(kind: type[Any]) -> list[inspect.Parameter]:
    hints = _hints(kind)
    return [
        inspect.Parameter(
            f.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if f.default is MISSING else f.default,
            annotation=hints[f.name],
        )
        for f in fields(kind)
    ]


def _hints(of: Any) -> dict[str, Any]:
    """Annotations as they are written.

    For a parameter whose default is None, Python 3.10 returns Optional[Annotated[...]], in which typer does not find
    the name and the help of the option.
    """
    hints = get_type_hints(of, include_extras=True)
    for name, hint in hints.items():
        inner = [a for a in get_args(hint) if get_origin(a) is Annotated]
        if get_origin(hint) is Union and inner:
            (hints[name],) = inner
    return hints
