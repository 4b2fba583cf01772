"""The generated parts of docs/bringup.md: the ladder, and the table from symptoms to readings.

    python -m loihi_onespike.boards.deployment.bringup.document docs/bringup.md

replaces the text between `<!-- begin NAME -->` and `<!-- end NAME -->`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from loihi_onespike.boards.deployment.bringup.ladder import LADDER
from loihi_onespike.boards.deployment.bringup.symptoms import first_symptom
from loihi_onespike.core.step_trace import StepDifference
from loihi_onespike.executors.microcode.document import table, updated
from loihi_onespike.microcode.semantics import ALTERNATIVES, Alternative

SEEN, NOT_SEEN = "●", ""


def ladder() -> str:
    """Table of the networks."""
    rows = []
    for rung in LADDER:
        populations = ", ".join(f"`{p.name}` ({'×'.join(map(str, p.shape))})" for p in rung.network.populations[1:])
        rows.append((rung.name, populations, len(rung.codes), rung.network.period_steps, rung.shows))
    return table(("network", "populations (neurons)", "images", "steps per image", "shows"), rows)


def readings() -> str:
    """Table of the other readings, and what changes in the programs if a board reads so."""
    rows = [(a.name, f"`{a.op.value}`", a.reading, a.remedy) for a in ALTERNATIVES]
    return table(("reading", "mnemonic", "what it would do [U]", "what then changes"), rows)


def matrix() -> str:
    """Which network shows which reading: every combination is run."""
    rows = []
    for a in ALTERNATIVES:
        rows.append((a.name, *(SEEN if first_symptom(a.semantics, rung) else NOT_SEEN for rung in LADDER)))
    return table(("reading", *(rung.name for rung in LADDER)), rows)


def symptoms() -> str:
    """From the first difference on the ladder to the readings that explain it."""
    found: dict[tuple[str, str], list[str]] = {}
    unseen = []
    for alternative in ALTERNATIVES:
        first = _first(alternative)
        if first is None:
            unseen.append(alternative.name)
        else:
            found.setdefault(first, []).append(alternative.name)
    order = [rung.name for rung in LADDER]
    rows = [
        (network, seen, ", ".join(names))
        for (network, seen), names in sorted(found.items(), key=lambda item: order.index(item[0][0]))
    ]
    rows.append(("none", "every step is equal", ", ".join(unseen)))
    return table(("first network that differs", "first difference in it", "readings that explain it"), rows)


def _first(alternative: Alternative) -> tuple[str, str] | None:
    for rung in LADDER:
        difference = first_symptom(alternative.semantics, rung)
        if difference is not None:
            return rung.name, _short(difference)
    return None


def _short(d: StepDifference) -> str:
    neuron = ", ".join(map(str, d.neuron))
    where = f"{d.quantity} of `{d.population}`, image {d.image}, step {d.step}, neuron {neuron}"
    return f"{where}: {d.found} for {d.expected}"


PARTS: dict[str, Callable[[], str]] = {
    "ladder": ladder,
    "readings": readings,
    "matrix": matrix,
    "symptoms": symptoms,
}


def main(path: str) -> None:
    """Replace the generated parts of the document at a path."""
    document = Path(path)
    document.write_text(updated(document.read_text(encoding="utf-8"), PARTS), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
