"""What each reading of the instructions shows on the ladder, and the readings that explain an observation.

Every symptom is computed: the programs run on the interpreter under the reading in question, behind the adapters of the
stand-in board, and the trace is compared with the oracle, step by step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from itertools import combinations

import numpy as np

from loihi_onespike.boards.deployment.backends.board_backend import BoardSettings
from loihi_onespike.boards.deployment.backends.stand_in import STAND_IN, StandInBoard
from loihi_onespike.boards.deployment.board_run import BoardSession
from loihi_onespike.boards.deployment.bringup.ladder import LADDER, Rung, rung_of
from loihi_onespike.boards.deployment.delays import AdapterDelays, DelayChoice
from loihi_onespike.core.step_trace import StepDifference, StepTrace, step_differences
from loihi_onespike.microcode.semantics import ALTERNATIVES, READ_AS_STATED, STATED, Semantics


@dataclass(frozen=True)
class BringupReading:
    """One reading, or two that hold together.

    Attributes:
        name: Its name; two are joined by `AND`.
        semantics: What it does.
    """

    name: str
    semantics: Semantics


AND = " together with "
"""Between the names of two readings that hold together."""
READINGS: tuple[BringupReading, ...] = (
    BringupReading(STATED, READ_AS_STATED),
    *(BringupReading(a.name, a.semantics) for a in ALTERNATIVES),
)


@lru_cache(maxsize=4096)
def trace_under(semantics: Semantics, network: str) -> StepTrace:
    """Spikes and potentials of a rung under a reading, in every step.

    Args:
        semantics: How the instructions are read.
        network: Name of the rung.
    """
    rung = rung_of(network)
    entry = replace(STAND_IN, make=lambda settings: StandInBoard(settings, semantics))
    session = BoardSession(entry, BoardSettings(), rung.network, {})
    return session.run(rung.codes, rung.expected(), DelayChoice.only(AdapterDelays())).trace


def first_symptom(semantics: Semantics, rung: Rung) -> StepDifference | None:
    """The first difference from the oracle that a rung shows under a reading; None when it shows none.

    Args:
        semantics: How the instructions are read.
        rung: The rung.
    """
    found = _differences(rung, rung.expected(), trace_under(semantics, rung.name))
    return found[0] if found else None


def _differences(rung: Rung, expected: StepTrace, found: StepTrace) -> list[StepDifference]:
    return step_differences(expected, found, [p.name for p in rung.network.populations])


@dataclass(frozen=True)
class Refutation:
    """Why a reading does not explain an observation.

    Attributes:
        reading: Name of the reading.
        network: Name of the first network that it does not explain.
        difference: Where what was observed differs from what the reading would show.
        explained: Number of observed networks before it on the ladder, which the reading explains.
    """

    reading: str
    network: str
    difference: StepDifference
    explained: int


@dataclass(frozen=True)
class Separation:
    """A network that tells the remaining readings apart.

    Attributes:
        network: Name of the network.
        groups: Readings that it shows alike, group by group.
    """

    network: str
    groups: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Explanation:
    """The readings under which an observation would come out.

    Attributes:
        networks: Names of the observed networks.
        remaining: Names of the readings that explain all of it; pairs where no single one does.
        refuted: Why the others do not, the closest first.
        separations: Networks that were not observed, or not wholly, and that tell the remaining readings apart.
    """

    networks: tuple[str, ...]
    remaining: tuple[str, ...]
    refuted: tuple[Refutation, ...]
    separations: tuple[Separation, ...]

    def to_dict(self) -> dict[str, object]:
        """The explanation as JSON-compatible values."""
        return {
            "networks": list(self.networks),
            "remaining": list(self.remaining),
            "refuted": [
                {
                    "reading": r.reading,
                    "network": r.network,
                    "difference": str(r.difference),
                    "networks_explained": r.explained,
                }
                for r in self.refuted
            ],
            "separated_by": [{"network": s.network, "groups": [list(g) for g in s.groups]} for s in self.separations],
        }

    def sentences(self) -> list[str]:
        """The explanation in sentences."""
        over = f"{len(self.networks)} observed networks"
        if not self.remaining:
            closest = "; ".join(
                f"{r.reading} (explains {r.explained} of them, but not {r.network}: {r.difference})"
                for r in self.refuted[:3]
            )
            return [
                f"No reading and no two readings together explain the {over}. Closest: {closest}.",
                "Compare the program with the listing, and the state and constants that were loaded with the hand-over "
                "folder (`onespike bringup --handover DIR`).",
            ]
        if self.remaining == (STATED,):
            return [f"The {over} are those of the instructions as stated: equal to the oracle."]
        told = [f"The {over} would come out under: {'; '.join(self.remaining)}."]
        if len(self.remaining) > 1:
            told += [f"Run the network {s.network}: {_groups(s)}." for s in self.separations]
        if len(self.remaining) > 1 and not self.separations:
            told.append("No network of the ladder tells them apart: in these programs they act alike.")
        return told


def _groups(separation: Separation) -> str:
    return " — differs from — ".join(", ".join(group) for group in separation.groups)


def explain(observed: Mapping[str, StepTrace]) -> Explanation:
    """Name the readings under which an observation would come out.

    Args:
        observed: Spikes and potentials by name of the rung, as far as they were read.
    """
    names = tuple(rung.name for rung in LADDER if rung.name in observed)
    remaining, refuted = _sifted(READINGS, names, observed)
    if not remaining:
        remaining, _ = _sifted(_pairs(), names, observed)
    return Explanation(
        names,
        tuple(r.name for r in remaining),
        tuple(sorted(refuted, key=lambda r: -r.explained)),
        tuple(_separations(remaining, observed)) if len(remaining) > 1 else (),
    )


def remedies(explanation: Explanation) -> list[tuple[str, str]]:
    """What changes in the programs under the readings that remain: (name of the reading, remedy).

    Args:
        explanation: The readings.
    """
    of_name = {a.name: a.remedy for a in ALTERNATIVES}
    names = dict.fromkeys(part for name in explanation.remaining for part in name.split(AND) if part in of_name)
    return [(name, of_name[name]) for name in names]


def explains(reading: BringupReading, network: str, observed: StepTrace) -> StepDifference | None:
    """Where an observation of one rung differs from what a reading would show; None where it does not.

    Args:
        reading: The reading.
        network: Name of the rung.
        observed: What was observed.
    """
    found = _differences(rung_of(network), trace_under(reading.semantics, network), observed)
    return found[0] if found else None


def _sifted(
    readings: Iterable[BringupReading], networks: Sequence[str], observed: Mapping[str, StepTrace]
) -> tuple[list[BringupReading], list[Refutation]]:
    remaining, refuted = [], []
    for reading in readings:
        for explained, network in enumerate(networks):
            difference = explains(reading, network, observed[network])
            if difference is not None:
                refuted.append(Refutation(reading.name, network, difference, explained))
                break
        else:
            remaining.append(reading)
    return remaining, refuted


def _pairs() -> list[BringupReading]:
    """Two alternatives at a time, as far as they concern different points of the semantics."""
    made = []
    for a, b in combinations(ALTERNATIVES, 2):
        of_a, of_b = _changes(a.semantics), _changes(b.semantics)
        if not of_a.keys() & of_b.keys():
            made.append(BringupReading(f"{a.name}{AND}{b.name}", replace(READ_AS_STATED, **of_a, **of_b)))  # type: ignore[arg-type]
    return made


def _changes(semantics: Semantics) -> dict[str, object]:
    values = {f.name: getattr(semantics, f.name) for f in fields(Semantics)}
    return {name: value for name, value in values.items() if value != getattr(READ_AS_STATED, name)}


def _separations(remaining: Sequence[BringupReading], observed: Mapping[str, StepTrace]) -> Iterable[Separation]:
    for rung in LADDER:
        groups: list[list[BringupReading]] = []
        for reading in remaining:
            trace = trace_under(reading.semantics, rung.name)
            for group in groups:
                if _equal(trace, trace_under(group[0].semantics, rung.name)):
                    group.append(reading)
                    break
            else:
                groups.append([reading])
        if len(groups) > 1:
            yield Separation(rung.name, tuple(tuple(r.name for r in group) for group in groups))


def _equal(a: StepTrace, b: StepTrace) -> bool:
    return all(
        np.array_equal(values, of_b[name])
        for of_a, of_b in ((a.spikes, b.spikes), (a.v, b.v))
        for name, values in of_a.items()
    )
