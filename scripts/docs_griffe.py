"""Functions whose docstring is completed when the package is imported: the reference shows what Python shows."""

import inspect
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from griffe import Extension, Function, Parameter, ParameterKind, Parameters

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout, whichever is installed
MARK = "{options}"
"""What `conversion.options.called_with` replaces by the description of the options."""


class CompletedDocstrings(Extension):
    """Takes docstring and parameters of such a function from the imported package."""

    def on_function(self, *, func: Function, **_: Any) -> None:
        """Complete one function."""
        if func.docstring is None or MARK not in func.docstring.value:
            return
        function = getattr(import_module(func.module.path), func.name)
        func.docstring.value = inspect.cleandoc(function.__doc__)
        func.parameters = Parameters(*map(_parameter, inspect.signature(function).parameters.values()))


def _parameter(parameter: inspect.Parameter) -> Parameter:
    default = None if parameter.default is parameter.empty else repr(parameter.default)
    annotation = parameter.annotation if isinstance(parameter.annotation, str) else None
    return Parameter(
        parameter.name,
        annotation=annotation,
        kind=ParameterKind(parameter.kind.description),
        default="…" if default is not None and default.startswith("<") else default,
    )
