"""Sources of a module: a Python file, an importable package, or torchvision."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import ModuleType

from torch import nn

from loihi_onespike.errors import ModelLoadError

_MARK = "_onespike_user_"
"""Prefix of the module names of users' files, so that a file model.py or torch.py hides no other module."""


def from_file(path: Path, name: str) -> nn.Module:
    """The module that `name` in a Python file is or returns.

    The folder of the file is on sys.path while it runs, as for `python file.py`.

    Raises:
        ModelLoadError: the file does not exist, raises an exception, or has no such callable.
    """
    if not path.is_file():
        raise ModelLoadError(f"{path}: no such file")
    path = path.resolve()
    module_name = _MARK + "".join(c if c.isalnum() else "_" for c in path.stem)
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise ModelLoadError(f"{path}: must be a Python file whose name ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module  # dataclasses and pickle look their module up there
    with _on_path(path.parent):
        _run(str(path), partial(spec.loader.exec_module, module))
        return _call(module, name, str(path))


def from_module(source: str, name: str) -> nn.Module:
    """The module that `name` in an importable module is or returns.

    The current folder is on sys.path, as for `python -m`.

    Raises:
        ModelLoadError: the module cannot be imported, raises an exception, or has no such callable.
    """
    with _on_path(Path.cwd()):
        try:
            module = importlib.import_module(source)
        except ModuleNotFoundError as error:
            if error.name is not None and (source == error.name or source.startswith(error.name + ".")):
                raise ModelLoadError(
                    f"{source}:{name}: no module named {error.name!r}; for a file write its path, "
                    f"{source.replace('.', '/')}.py:{name}"
                ) from error
            raise ModelLoadError(f"{source}: its own import failed: {error}") from error
        except ValueError as error:
            raise ModelLoadError(f"{source}: not a module name ({error})") from error
        return _call(module, name, source)


def from_torchvision(name: str) -> nn.Module:
    """A classification network of torchvision.models with random weights; ModelLoadError where there is none."""
    try:
        from torchvision import models
    except ImportError as error:
        raise ModelLoadError(
            f"torchvision:{name}: torchvision cannot be imported ({error}); "
            'install it with: pip install "loihi-onespike[vision]"'
        ) from error
    try:
        return models.get_model(name, weights=None)
    except ValueError as error:
        close = [n for n in models.list_models(module=models) if n.startswith(name.lower()[:3])]
        hint = f"; similar names: {', '.join(close[:8])}" if close else ""
        raise ModelLoadError(f"torchvision:{name}: torchvision has no such model{hint}") from error


def _call(module: ModuleType, name: str, source: str) -> nn.Module:
    """The module that `name` is or returns."""
    found: object = getattr(module, name, None)
    if found is None:
        public = [n for n, v in vars(module).items() if callable(v) and getattr(v, "__module__", "") == module.__name__]
        has = ", ".join(public) or "none"
        raise ModelLoadError(f"{source}: has no {name!r}; it defines the functions and classes {has}")
    if not isinstance(found, nn.Module) and callable(found):
        needed = _needed_arguments(found)
        if needed:
            raise ModelLoadError(
                f"{source}:{name}: must be callable without arguments, but requires {', '.join(needed)}; "
                f"write a function that returns {name}({', '.join(f'{n}=…' for n in needed)})"
            )
        found = _run(f"{source}:{name}", found)
    if not isinstance(found, nn.Module):
        raise ModelLoadError(f"{source}:{name}: must return a torch.nn.Module, got {type(found).__name__}")
    return found


def _needed_arguments(maker: Callable[..., object]) -> list[str]:
    try:
        parameters = inspect.signature(maker).parameters.values()
    except (TypeError, ValueError):  # some builtins have no signature; the call then shows whether it needs arguments
        return []
    optional = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p.name for p in parameters if p.default is inspect.Parameter.empty and p.kind not in optional]


def _run(what: str, action: Callable[[], object]) -> object:
    """Run user code; an exception becomes a ModelLoadError that names the line of the user's code."""
    try:
        return action()
    except ModelLoadError:
        raise
    except (Exception, SystemExit) as error:
        raise ModelLoadError(f"{what}: raised {type(error).__name__}: {error}{_place(error)}") from error


def _place(error: BaseException) -> str:
    """Text " at file:line" of the innermost frame that is not in an installed package."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if "site-packages" not in f.filename and f.filename != __file__]
    return f" at {own[-1].filename}:{own[-1].lineno}" if own else ""


@contextmanager
def _on_path(folder: Path) -> Iterator[None]:
    entry = str(folder)
    sys.path.insert(0, entry)
    try:
        yield
    finally:
        with suppress(ValueError):  # the user's code may have removed it
            sys.path.remove(entry)
