"""The bring-up ladder on a backend: each network run and compared, step by step."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from loihi_onespike.boards.deployment.backends.board_backend import BackendEntry, BoardSettings, Progress
from loihi_onespike.boards.deployment.backends.check import Check
from loihi_onespike.boards.deployment.board_run import BoardRun, BoardSession, first_equal
from loihi_onespike.boards.deployment.bringup.ladder import LADDER, Rung, rung_of
from loihi_onespike.boards.deployment.bringup.symptoms import READINGS, Explanation, explain, explains
from loihi_onespike.boards.deployment.checks import Program, programmed
from loihi_onespike.boards.deployment.delays import AdapterDelays, DelayChoice
from loihi_onespike.core.step_trace import StepTrace
from loihi_onespike.errors import ConfigurationError
from loihi_onespike.microcode.program_file import UCODE_VARIABLE, program_files

FOLDER = "bringup"
"""Folder of the ladder's programs, beside those of the user's network."""
WRITTEN = "`onespike bringup --handover DIR` writes what they have to do"


@dataclass(frozen=True, eq=False)
class LadderRun:
    """What the networks of the ladder did.

    Attributes:
        where: What ran.
        runs: Result by name of the rung, in the order of the ladder.
        delays: Delays of the adapters.
    """

    where: str
    runs: Mapping[str, BoardRun]
    delays: AdapterDelays

    @property
    def equal(self) -> bool:
        """True when every spike and every potential of every step is the oracle's."""
        return not any(run.differences for run in self.runs.values())

    @property
    def traces(self) -> dict[str, StepTrace]:
        """Spikes and potentials by name of the rung."""
        return {name: run.trace for name, run in self.runs.items()}

    def explanation(self) -> Explanation:
        """The readings of the instructions under which the traces would come out."""
        return explain(self.traces)

    def to_dict(self, explanation: Explanation | None = None) -> dict[str, object]:
        """The result of every rung as JSON-compatible values.

        Args:
            explanation: The readings that explain it; None where all is equal.
        """
        rungs = [{"network": name, "equal": not run.differences, "first": run.first} for name, run in self.runs.items()]
        delays = {"input": self.delays.input, "spikes": self.delays.spikes, "state": self.delays.state}
        explained = None if explanation is None else explanation.to_dict()
        return {
            "where": self.where,
            "equal": self.equal,
            "delays": delays,
            "networks": rungs,
            "explanation": explained,
        }


def ladder_programs(program: Program | None, rungs: Sequence[Rung] = LADDER) -> dict[str, Path]:
    """Program files of all populations of the ladder.

    Args:
        program: The folder whose subfolder `bringup` holds them, or a mapping from population to file; by default
            what LOIHI_ONESPIKE_UCODE names.
        rungs: Rungs that are to run.

    Raises:
        ConfigurationError: files are missing, all of them listed.
    """
    names = [name for rung in rungs for name in programmed(rung.network)]
    if program is None:
        program = os.environ.get(UCODE_VARIABLE) or None
    if program is None:
        raise ConfigurationError(f"ucode: no program files are given; {WRITTEN}")
    if isinstance(program, (str, Path)):
        program = Path(program) / FOLDER
        if not program.is_dir():
            raise ConfigurationError(
                f"ucode: must have a folder {FOLDER} with the programs of the bring-up networks, but {program} is no "
                f"folder; {WRITTEN}"
            )
    return program_files(names, program)


def ladder_check(program: Program | None) -> Check:
    """Whether there is a program for every population of the ladder.

    Args:
        program: As for `ladder_programs`.
    """
    name = "bring-up programs"
    try:
        files = ladder_programs(program)
    except ConfigurationError as error:
        found, _, remedy = str(error).removeprefix("ucode: ").partition("; ")
        return Check(name, "failed", found, f"{remedy}; or leave the bring-up out with --skip-bringup")
    return Check(name, "passed", f"{len(files)} files for {len(LADDER)} networks")


def climb(
    entry: BackendEntry,
    settings: BoardSettings,
    programs: Mapping[str, Path],
    choice: DelayChoice,
    *,
    rungs: Sequence[Rung] = LADDER,
    progress: Progress | None = None,
) -> LadderRun:
    """Run the ladder, all of it even where a rung differs: every further observation excludes readings.

    Args:
        entry: The backend.
        settings: How the board is reached.
        programs: Program files of all populations of the rungs; empty for a backend that writes its own.
        choice: Delays that the adapters may have; what is open is settled on the first rung that shows it.
        rungs: Rungs to run.
        progress: Called with (rungs done, all rungs).
    """
    runs: dict[str, BoardRun] = {}
    if progress is not None:
        progress(0, len(rungs))
    for i, rung in enumerate(rungs):
        own = {name: programs[name] for name in programmed(rung.network)} if programs else {}
        session = BoardSession(entry, settings, rung.network, own)
        expected = rung.expected()
        attempts = session.attempts(rung.codes, expected, choice)
        run, sure = (first_equal(attempts), True) if choice.known else _settled(rung, attempts)
        runs[rung.name] = run
        if sure:
            choice = DelayChoice.only(run.delays)
        if progress is not None:
            progress(i + 1, len(rungs))
    return LadderRun(entry.where, runs, runs[rungs[-1].name].delays)


def _settled(rung: Rung, attempts: Iterable[BoardRun]) -> tuple[BoardRun, bool]:
    """The attempt that is equal, else one that another reading explains, else the one that differs least.

    Without the second, a board that reads an instruction otherwise would get wrong delays, and no reading would fit.

    Returns:
        The attempt, and whether its delays are the only ones possible: where cores never see an input, for instance,
        its delay cannot be known, and stays open for the next rung.
    """
    seen = []
    for attempt in attempts:
        if not attempt.differences:
            return attempt, True
        seen.append(attempt)
    for reading in READINGS:
        explained = [attempt for attempt in seen if explains(reading, rung.name, attempt.trace) is None]
        if explained:
            return explained[0], len(explained) == 1
    return first_equal(seen), False


def only(names: Sequence[str]) -> tuple[Rung, ...]:
    """The rungs of some names, in the order of the ladder; all of them for no name.

    Args:
        names: Names of rungs.

    Raises:
        ConfigurationError: there is none of a name.
    """
    wanted = {rung_of(name).name for name in names}
    return tuple(rung for rung in LADDER if not wanted or rung.name in wanted)
