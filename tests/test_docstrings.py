"""Docstrings of the public API: that they are there, and that `Args:` names the parameters.

ruff's pydocstyle rules check the form. They demand a docstring of every method, though, and a name of its own for every
parameter; here a method inherits the docstring of the method that it overrides, and parameters may share a line.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("loihi_onespike", "netx_export", "hw_configs", "benchmarks", "examples")
PARAMETERS_WITH_ARGS = 3
"""Number of parameters from which a function describes them."""
ITEM = re.compile(r"^(\*{0,2}\w+(?:, \*{0,2}\w+)*)(?: \([^)]*\))?:")
"""A line of `Args:`: one or more names, perhaps a type, and a colon."""
RULES = {"rule", "module_rule"}
"""Decorators of the rules of the front end, whose parameters are those of torch's operation, under torch's names."""
FRAMEWORK = {
    *("forward", "create_arg", "create_args_for_root", "create_node", "create_proxy", "call_module", "getattr"),
    *("run_spk", "run_lrn"),
}
"""Methods that torch and Lava document and call; a docstring may say more, and need not."""
COMPILED = {"njit", "intrinsic"}
"""Decorators of compiled kernels, which name the shapes of those arrays that their equation does not explain."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Class:
    """What a class hands on to its subclasses."""

    bases: list[str]
    documented: set[str] = field(default_factory=set)


def is_public(name: str) -> bool:
    return not name.startswith("_")


def decorators(node: Function) -> set[str]:
    return {ast.unparse(d).split("(")[0].split(".")[-1] for d in node.decorator_list}


def parameters(node: Function, is_method: bool) -> list[str]:
    a = node.args
    names = [p.arg for p in (*a.posonlyargs, *a.args)]
    if is_method and "staticmethod" not in decorators(node):
        names = names[1:]
    variable = [p.arg for p in (a.vararg, a.kwarg) if p is not None]
    return names + [p.arg for p in a.kwonlyargs] + variable


def named_in_args(doc: str) -> list[str] | None:
    """Names in the section `Args:`, None where there is no such section."""
    lines = doc.expandtabs().splitlines()
    start = next((i for i, line in enumerate(lines) if line.strip() == "Args:"), None)
    if start is None:
        return None
    names: list[str] = []
    indent = None
    for line in lines[start + 1 :]:
        here = len(line) - len(line.lstrip())
        if not line.strip():
            continue
        indent = here if indent is None else indent
        if here < indent:
            break
        item = ITEM.match(line[indent:]) if here == indent else None
        if item is not None:
            names += [name.strip().lstrip("*") for name in item[1].split(",")]
    return names


def classes(trees: dict[Path, ast.Module]) -> dict[str, Class]:
    """Every class of the product by name, with the methods that it documents."""
    found: dict[str, Class] = {}
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                bases = [ast.unparse(b).split("[")[0].split(".")[-1] for b in node.bases]
                documented = {m.name for m in node.body if isinstance(m, Function) and ast.get_docstring(m)}
                found[node.name] = Class(bases, documented)
    return found


def inherits(known: dict[str, Class], name: str, method: str) -> bool:
    """Whether a class has a base class in the product that documents the method."""
    bases = [known[b] for b in known[name].bases if b in known]
    return any(method in b.documented for b in bases) or any(
        inherits(known, b, method) for b in known[name].bases if b in known and b != name
    )


def problems_of(
    body: list[ast.stmt], known: dict[str, Class], where: str = "", owner: str | None = None, command: str | None = None
) -> Iterator[tuple[int, str]]:
    """Line and problem of every public definition that breaks a rule."""
    for node in body:
        if isinstance(node, ast.ClassDef) and is_public(node.name):
            if not ast.get_docstring(node):
                yield node.lineno, f"{where}{node.name}: no docstring"
            yield from problems_of(node.body, known, f"{where}{node.name}.", node.name, command)
        elif isinstance(node, Function) and is_public(node.name):
            yield from ((node.lineno, f"{where}{node.name}: {p}") for p in _of_function(node, known, owner, command))
        elif isinstance(node, ast.If | ast.Try):
            inner = [n for n in ast.iter_child_nodes(node) if isinstance(n, ast.stmt)]
            yield from problems_of(inner, known, where, owner, command)


def _of_function(node: Function, known: dict[str, Class], owner: str | None, command: str | None) -> Iterator[str]:
    if decorators(node) & {"overload", "setter", "deleter"}:
        return
    inherited = owner is not None and (node.name in FRAMEWORK or inherits(known, owner, node.name))
    doc = ast.get_docstring(node)
    if doc is None:
        if not inherited:
            yield "no docstring"
        return
    if "called_with" in decorators(
        node
    ):  # the decorator gives the function another signature, and checks its docstring
        return
    if node.name == command:  # its docstring is the help text, and every option has a help text of its own
        return
    names, given = parameters(node, owner is not None), named_in_args(doc)
    if len(names) >= PARAMETERS_WITH_ARGS and not inherited and not decorators(node) & (RULES | COMPILED):
        missing = [name for name in names if name not in (given or ())]
        if given is None:
            yield f"{len(names)} parameters and no Args"
        elif missing:
            yield f"Args leave out {', '.join(missing)}"
    strange = [name for name in given or () if name not in names]
    if strange:
        yield f"Args name {', '.join(strange)}, which are no parameters"


@cache
def problems(root: Path) -> dict[str, list[str]]:
    """Problems of every package (first two folders), as "file:line: definition: problem"."""
    paths = [p for package in PACKAGES for p in sorted((root / package).rglob("*.py"))]
    trees = {p: ast.parse(p.read_text(encoding="utf-8")) for p in paths}
    known = classes(trees)
    found: dict[str, list[str]] = {}
    for path, tree in trees.items():
        parts = path.relative_to(root).with_suffix("").parts
        if any(p.startswith("_") and not p.startswith("__") for p in parts):
            continue
        listed = found.setdefault("/".join(parts[:-1][:3]) or parts[0], [])
        place = "/".join(parts) + ".py"
        if not ast.get_docstring(tree):
            listed.append(f"{place}:1: module: no docstring")
        command = path.stem if "commands" in parts else "main" if path.name == "__main__.py" else None
        listed += [f"{place}:{line}: {text}" for line, text in problems_of(tree.body, known, command=command)]
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_the_public_api_is_documented(package: str) -> None:
    found = [p for name, listed in problems(ROOT).items() if name.split("/")[0] == package for p in listed]
    assert not found, "\n" + "\n".join(found)


def test_what_the_rules_find() -> None:
    """Each rule on a definition that breaks it, and on the exceptions."""
    source = '''
class A:
    """Doc."""
    def f(self, a, b, c):
        """Do.

        Args:
            a, b: two.
            c (int): three.
        """
    def g(self): ...
    @property
    def p(self): ...
class B(A):
    """Doc."""
    def f(self, a, b, c): ...
    def h(self, a, *b, **c):
        """Do."""
def k(a, b, *, c):
    """Do.

    Args:
        a: one.
        d: none.
    """
def _private(a, b, c): ...
def short(a, b):
    """Do."""
@rule("f")
def f(site, input, weight):
    """Do."""
'''
    tree = ast.parse(source)
    said = [text for _, text in problems_of(tree.body, classes({Path("m.py"): tree}))]
    assert said == [
        "A.g: no docstring",
        "A.p: no docstring",
        "B.h: 3 parameters and no Args",
        "k: Args leave out b, c",
        "k: Args name d, which are no parameters",
    ]


if __name__ == "__main__":
    for name, listed in problems(Path.cwd()).items():
        if listed:
            print(f"{name}: {len(listed)}", *listed, sep="\n  ")
