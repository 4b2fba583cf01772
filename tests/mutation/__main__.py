"""Run a sample of the mutants of the modules that targets.toml names."""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from tests.mutation.mutants import Mutant, Mutation, mutant_of, mutations_of
from tests.mutation.targets import Target, by_hand, targets
from tests.mutation.trial import Trials, working_copy


def main() -> int:
    """The command; returns the exit status, 1 where fewer than `--least` per cent were killed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--target", help="one of the names in targets.toml; all without it")
    parser.add_argument("--module", help="part of the path of the modules to mutate")
    parser.add_argument(
        "--sample",
        type=int,
        help="mutants per target; 0 for one of every place",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--least", type=float, default=0.0, help="per cent that must be killed")
    parser.add_argument("--record", type=Path, help="write a JSON file of all mutants and what became of them")
    parser.add_argument("--by-hand", action="store_true", help="instead of a sample, the mutants of by_hand.toml")
    parser.add_argument("--again", type=Path, help="instead of a sample, the survivors in such a file")
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="mutants-"))
    try:
        return _run(chosen, working_copy(folder / "tree"))
    finally:
        shutil.rmtree(folder)


def _run(chosen: argparse.Namespace, tree: Path) -> int:
    trials = Trials(tree)
    found: list[dict[str, Any]] = []
    for target in targets():
        if chosen.target in (None, target.name):
            begin = time.monotonic()
            outcomes: list[dict[str, Any]] = []
            for mutant in _sample(target, chosen, tree):
                outcomes.append(_tried(trials, target, mutant))
                _write(chosen.record, [*found, *outcomes])  # after each one: a run of hours may be ended
            killed = sum(o["killed"] for o in outcomes)
            share = 100 * killed / max(len(outcomes), 1)
            print(f"{target.name}: {killed} of {len(outcomes)} mutants killed ({share:.0f} %), "
                  f"{time.monotonic() - begin:.0f} s", flush=True)  # fmt: skip
            found += outcomes
    killed = sum(o["killed"] for o in found)
    print(f"all: {killed} of {len(found)} mutants killed")
    return int(100 * killed < chosen.least * len(found))


def _write(record: Path | None, outcomes: list[dict[str, Any]]) -> None:
    if record is not None:
        record.write_text(json.dumps(outcomes, indent=1) + "\n")


def _sample(target: Target, chosen: argparse.Namespace, tree: Path) -> Iterator[Mutant]:
    kept = None if chosen.again is None else _survivors(chosen.again)
    every = [m for path in target.modules(tree) for m in mutations_of(tree, path)]
    if chosen.module:
        every = [m for m in every if chosen.module in m.path]
    if chosen.by_hand:
        yield from (m for m in by_hand(tree, target) if kept is None or (m.mutation.kind, m.diff) in kept)
        return
    if kept is not None:
        yield from _found_again([m for m in every if m.kind in {kind for kind, _ in kept}], kept, tree)
        return
    # A place of the code is drawn first and then one of its mutations: some operators have eleven, others one.
    size = target.sample if chosen.sample is None else chosen.sample
    chance = random.Random(f"{chosen.seed} {target.name}")
    of_place: dict[tuple[str, int, int], list[Mutation]] = {}
    for mutation in every:
        of_place.setdefault(mutation.place, []).append(mutation)
    places = chance.sample(sorted(of_place), len(of_place))
    mutants = (mutant_of(tree, chance.choice(of_place[place])) for place in places)
    yield from islice(filter(None, mutants), size or len(every))


def _survivors(record: Path) -> set[tuple[str, str]]:
    """Kind and changed lines, by which a mutant is found again after lines have moved."""
    found = [outcome for outcome in json.loads(record.read_text()) if not outcome["killed"]]
    return {(_kind(outcome["mutant"]), outcome["diff"]) for outcome in found}


def _kind(name: str) -> str:
    return re.sub(r":[0-9]+ (.*) [0-9]+$", r" \1", name)


def _found_again(mutations: list[Mutation], kept: set[tuple[str, str]], tree: Path) -> Iterator[Mutant]:
    missing = set(kept)
    for mutant in filter(None, (mutant_of(tree, mutation) for mutation in mutations)):
        key = (mutant.mutation.kind, mutant.diff)
        if key in missing:  # the same change of equal lines is one mutant
            missing.discard(key)
            yield mutant
    for kind, diff in sorted(missing):
        print(f"not in the code any more: {kind}\n{diff}", flush=True)


def _tried(trials: Trials, target: Target, mutant: Mutant) -> dict[str, Any]:
    killed, seconds, reason = trials.run(mutant, target)
    if not killed:
        print(f"survived: {mutant.mutation.name}\n{mutant.diff}", flush=True)
    return {
        "mutant": mutant.mutation.name,
        "killed": killed,
        "seconds": round(seconds, 1),
        "by": reason,
        "diff": mutant.diff,
    }


if __name__ == "__main__":
    sys.exit(main())
