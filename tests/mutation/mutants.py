"""The mutants of a module, made by the operators of cosmic-ray.

Mutants that differ from the module only in annotations or docstrings are left out, since nothing evaluates these, and
so are decorators that are removed, which only the tests of typing could see.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

LEFT_OUT = ("RemoveDecorator", "VariableReplacer", "VariableInserter", "_Is", "_IsNot", "_Is_", "_IsNot_")
"""Parts of names of operators that are not used: `is` of numbers is another spelling of ==, or a warning."""


@dataclass(frozen=True)
class Mutation:
    """One change of a module.

    Attributes:
        path: of the module in the repository.
        operator: name of cosmic-ray's operator.
        occurrence: number of its place among those of the operator.
        place: path, line and column of what is changed.
    """

    path: str
    operator: str
    occurrence: int
    place: tuple[str, int, int]

    @property
    def name(self) -> str:
        """Path, line, operator and number of the place."""
        return f"{self.path}:{self.place[1]} {self.operator.removeprefix('core/')} {self.occurrence}"

    @property
    def kind(self) -> str:
        """Path and operator: the name without what changes when other lines change."""
        return f"{self.path} {self.operator.removeprefix('core/')}"


@dataclass(frozen=True)
class Mutant:
    """A module with one change.

    Attributes:
        mutation: what was changed.
        source: the changed module.
        diff: the changed lines.
    """

    mutation: Mutation
    source: str
    diff: str


def mutations_of(tree: Path, path: str) -> list[Mutation]:
    """All mutations of a module, those of annotations included.

    Args:
        tree: folder of the repository.
        path: of the module in it.
    """
    nodes = list(ast_nodes(get_ast((tree / path).read_text())))
    found = []
    for name in sorted(operator_names()):
        if not any(part in f"{name}_" for part in LEFT_OUT):
            operator = _operator(name)
            places = [start for node in nodes for start, _ in operator.mutation_positions(node)]
            found += [Mutation(path, name, i, (path, *start)) for i, start in enumerate(places)]
    return found


def mutant_of(tree: Path, mutation: Mutation) -> Mutant | None:
    """The mutant; None where the interpreter evaluates the same as before, or the operator has none for the place."""
    source = (tree / mutation.path).read_text()
    try:
        changed = mutate_code(source, _operator(mutation.operator), mutation.occurrence)
    except AttributeError:  # cosmic-ray's exchange of exceptions does not know `except (*ERRORS, OSError)`
        return None
    if changed is None or _evaluated(changed) == _evaluated(source):
        return None
    return Mutant(mutation, changed, _diff(source, changed))


@cache
def _operator(name: str) -> Any:
    return get_operator(name)()


def _diff(before: str, after: str) -> str:
    """The changed lines, which are beside each other; the same whatever else the module holds."""
    old, new = before.split("\n"), after.split("\n")
    for end in (0, -1):
        while old and new and old[end] == new[end]:
            del old[end], new[end]
    return "\n".join([*(f"-{line}" for line in old), *(f"+{line}" for line in new)])


def _evaluated(source: str) -> str:
    """What the interpreter evaluates of a module, as text; code that does not compile is itself."""
    try:
        module = ast.parse(source)
    except SyntaxError:
        return source
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        elif isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(None)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value = ast.Constant(None)
    return ast.dump(module)
