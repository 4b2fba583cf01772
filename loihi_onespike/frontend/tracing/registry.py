"""Registry of the rules that lower operations. A new operation is one entry, and for a module also a line in `modules`.

The key of a function or tensor method of torch is its name alone, since `torch.f`, `F.f` and `Tensor.f` compute the
same; in-place forms, operators and aliases share it (`operation_name`). The key of a function of another package is its
full dotted name, so that the package need not be imported. The key of a module is its class, or the full dotted name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from torch import nn
from torch._ops import OpOverload, OpOverloadPacket

Rule: TypeAlias = Callable[..., Any]
"""rule(site, *args, **kwargs): the arguments of the operation, named as torch names them, with a `Value` in place of
every tensor that depends on the input; gives the `Value` of the result, or a tuple of them."""

ModuleRule: TypeAlias = Callable[..., Any]
"""rule(site, module, *args, **kwargs)."""

MOVES_BATCH = "moves_batch"
"""Attribute of module rules that take values whose batch is not in front."""
OPERATIONS: dict[str, Rule] = {}
MODULES: dict[type[nn.Module] | str, ModuleRule] = {}

_ALIASES = {
    "truediv": "div",
    "true_divide": "div",
    "divide": "div",
    "itruediv": "div",
    "iadd": "add",
    "isub": "sub",
    "subtract": "sub",
    "imul": "mul",
    "multiply": "mul",
    "negative": "neg",
    "clip": "clamp",
    "concat": "cat",
    "concatenate": "cat",
    "maximum": "max",
    "minimum": "min",
    "absolute": "abs",
    "imatmul": "matmul",
    "mm": "matmul",
    "ipow": "pow",
}
_TORCH = ("torch", "_operator", "builtins")


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Register a rule for operations of these names."""

    def register(f: Rule) -> Rule:
        OPERATIONS.update(dict.fromkeys(names, f))
        return f

    return register


def module_rule(*classes: type[nn.Module] | str) -> Callable[[ModuleRule], ModuleRule]:
    """Register a rule for modules of these classes; such a module is one call, and its forward is not traced."""

    def register(f: ModuleRule) -> ModuleRule:
        MODULES.update(dict.fromkeys(classes, f))
        return f

    return register


def takes_moved_batch(f: ModuleRule) -> ModuleRule:
    """Mark the rule of a module that takes values whose batch is not in front."""
    setattr(f, MOVES_BATCH, True)
    return f


def operation_name(target: Callable[..., Any] | str) -> str:
    """Key of a function, or of a tensor method given by name: `F.relu_`, `Tensor.relu` and `torch.relu` are `relu`."""
    if isinstance(target, str):
        name = target
    elif isinstance(target, OpOverload | OpOverloadPacket):
        name = getattr(target, "overloadpacket", target).__name__
        if f"aten.{name}" in OPERATIONS:  # its arguments are not those of the function of that name
            return f"aten.{name}"
    else:
        name = getattr(target, "__name__", type(target).__name__)
        package = getattr(target, "__module__", None) or "torch"
        if package not in _TORCH and not package.startswith("torch."):
            return f"{package}.{name}"
    name = name.split(".")[0].strip("_")
    return _ALIASES.get(name, name)


def find_module_rule(module: nn.Module) -> ModuleRule | None:
    """Rule for a module, by its class or a base class whose `forward` it has not overridden."""
    for cls in type(module).__mro__:
        found = MODULES.get(cls) or MODULES.get(f"{cls.__module__}.{cls.__qualname__}")
        if found is not None and getattr(type(module), "forward", None) is getattr(cls, "forward", None):
            return found
    return None
