"""Options that belong together as one parameter of a command: a dataclass whose fields are the options."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from typing import Annotated, Any, ParamSpec, TypeVar, Union, get_args, get_origin, get_type_hints

P = ParamSpec("P")
R = TypeVar("R")


def grouped(function: Callable[P, R]) -> Callable[..., R]:
    """A function that takes the fields of its dataclass parameters one by one, as the command line gives them.

    A parameter `conversion: Conversion` becomes one parameter per field, in its place, with the field's annotation and
    default; the call puts them together again.
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

    Python 3.10 makes Optional[Annotated[...]] of a parameter whose default is None, in which typer does not find names
    and help of the option.
    """
    hints = get_type_hints(of, include_extras=True)
    for name, hint in hints.items():
        inner = [a for a in get_args(hint) if get_origin(a) is Annotated]
        if get_origin(hint) is Union and inner:
            (hints[name],) = inner
    return hints
