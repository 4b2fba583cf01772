"""Write docs/layers.md, what converts and what is refused, from the rules of the front end.

python scripts/layers_page.py
"""

import inspect
from pathlib import Path

import torch
from torch import nn

import loihi_onespike.frontend
import loihi_onespike.frontend.gnn.message_passing  # noqa: F401  (registers that of torch_geometric)
from loihi_onespike.frontend.tracing.registry import MODULES, OPERATIONS, find_module_rule
from loihi_onespike.frontend.tracing.support import SUPPORT, UNKNOWN
from loihi_onespike.frontend.tracing.tracer import OF_PARTS

PAGE = Path(__file__).parents[1] / "docs" / "layers.md"
CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict, nn.ParameterList, nn.ParameterDict, nn.Container, nn.Module)
"""Their parts are read, and they compute nothing themselves."""
LOSSES = ("Loss", "AdaptiveLogSoftmaxWithLoss")
HEAD = """# What converts, and what is refused

This page is made from the rules of the front end (`python scripts/layers_page.py`), and a test compares the two.
Operations that are not here are refused with the general remedy at the end. The reasons behind both lists are in
[conversion.md](conversion.md#what-becomes-what).

A module of your own needs no entry: its `forward` is read operation by operation.
"""


def _line(thing: object) -> str:
    text = inspect.getdoc(thing) or ""
    return text.split("\n\n")[0].replace("\n", " ").replace("|", "\\|").rstrip(".:")


def _table(*head: str, rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def module_classes() -> dict[str, type[nn.Module]]:
    """The layers of torch.nn by name, without containers, losses and lazy forms, which become others in use."""
    found = {name: thing for name, thing in vars(nn).items() if inspect.isclass(thing) and issubclass(thing, nn.Module)}
    found = {name: cls for name, cls in sorted(found.items()) if cls not in CONTAINERS}
    return {name: cls for name, cls in found.items() if not name.startswith("Lazy") and not name.endswith(LOSSES)}


def shown_operations() -> dict[str, object]:
    """The rules of this package, without those that repeat one for exported programs."""
    rules = {name: getattr(rule, "func", rule) for name, rule in OPERATIONS.items() if not name.startswith("aten.")}
    return {name: rule for name, rule in rules.items() if (rule.__module__ or "").startswith("loihi_onespike.")}


def converting() -> str:
    """Modules and operations with a rule."""
    modules = [name for name, cls in module_classes().items() if converts(cls)]
    foreign = sorted(key for key in MODULES if isinstance(key, str))
    operations: dict[str, list[str]] = {}
    for name, rule in shown_operations().items():
        operations.setdefault(_line(rule), []).append(name)
    rows = [
        (", ".join(f"`{name}`" for name in sorted(names)), text)
        for text, names in sorted(operations.items(), key=lambda entry: min(entry[1]).lower())
    ]
    parts = [
        "## What converts\n### Modules\n" + ", ".join(f"`{name}`" for name in modules) + ".",
        "Modules of other packages and of newer versions of torch: " + ", ".join(f"`{name}`" for name in foreign) + "."
        if foreign
        else "",
        "### Operations\nFunctions, methods and operators of torch by name; in-place forms, aliases and the `aten` "
        "operations of exported programs are the same. A dotted name is a function of another package.\n\n"
        + _table("operation", "what it computes", rows=rows),
    ]
    return "\n\n".join(part for part in parts if part)


def converts(cls: type[nn.Module]) -> bool:
    """Whether objects of a class have a rule, or consist of modules and functions that are read."""
    return find_module_rule(cls.__new__(cls)) is not None or issubclass(cls, OF_PARTS)


def _names_of_advice() -> dict[str, str]:
    """The name that torch has for each key of the table of advice."""
    spelled = [*module_classes(), *dir(nn.functional), *dir(torch), *dir(torch.Tensor)]
    names: dict[str, str] = {}
    for name in spelled:
        key = name.replace("_", "").lower()
        if key in SUPPORT and not name.startswith("_"):
            names.setdefault(key, name)
    return names


def refused() -> str:
    """The table of advice: operations first, then reasons that are not an operation."""
    names = _names_of_advice()
    convert = {name.replace("_", "").lower() for name in shown_operations()}
    rows: dict[tuple[str, str], list[str]] = {}
    reasons: list[tuple[str, str]] = []
    for key, advice in SUPPORT.items():
        if key in names:
            label = f"`{names[key]}`" + (" in some forms" if key in convert else "")
            rows.setdefault(advice.texts, []).append(label)
        elif advice.texts not in reasons:
            reasons.append(advice.texts)
    table = [(", ".join(labels), *texts) for texts, labels in rows.items()]
    return "\n\n".join(
        [
            "## What is refused\n`convert` lists all findings of a model at once, each with the line of your code.",
            "### Operations",
            _table("refused", "what is supported", "remedy", rows=table),
            "### Other reasons",
            _table("what is supported", "remedy where it is not so", rows=reasons),
            "### Layers of torch.nn without advice of their own\n"
            + ", ".join(f"`{name}`" for name in without_advice())
            + f".\n\nSupported: {UNKNOWN.supported}. Remedy: {UNKNOWN.remedy}.",
        ]
    )


def without_advice() -> list[str]:
    """Layers that neither convert nor have a remedy of their own."""
    return [n for n, c in module_classes().items() if not converts(c) and n.lower() not in SUPPORT]


def page() -> str:
    """The text of the page."""
    return "\n".join([HEAD, converting(), "", refused(), ""])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
