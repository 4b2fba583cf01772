"""What came of a deployment: as a document, and as text for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from loihi_onespike.boards.deployment.backends.check import Check
from loihi_onespike.boards.deployment.bringup.ladder_run import LadderRun
from loihi_onespike.boards.deployment.bringup.symptoms import Explanation
from loihi_onespike.boards.deployment.comparison import BoardComparison
from loihi_onespike.boards.deployment.measurement import BoardMeasurement
from loihi_onespike.boards.energy.estimate import BoardEstimate
from loihi_onespike.boards.energy.estimate_document import estimate_document
from loihi_onespike.boards.energy.figures import MEASURED, Figure, energy_text
from loihi_onespike.json_text import json_text
from loihi_onespike.regular_files import write_whole

MARKS = {"passed": "yes", "failed": "no", "not asked": "-"}
LATER = "not needed here"
"""The mark of what only a board needs, in a dry run."""


@dataclass(frozen=True)
class Report:
    """A deployment, or the rehearsal of one.

    Attributes:
        network: Name of the network.
        dry_run: No board was used; every figure of time and energy is an estimate.
        checks: Checks of the preflight.
        estimate: Time and energy from public tables.
        comparison: Comparison with the oracle; None when nothing ran.
        not_run: Why nothing ran; empty when something did.
        measurement: Readings of the board's profiler; None when nothing was measured.
        bringup: What the bring-up networks did before; None where they were left out.
        handover: Folder of the hand-over; None where none was written.
    """

    network: str
    dry_run: bool
    checks: tuple[Check, ...]
    estimate: BoardEstimate
    comparison: BoardComparison | None
    not_run: str
    measurement: BoardMeasurement | None
    bringup: LadderRun | None = None
    handover: Path | None = None

    @cached_property
    def explanation(self) -> Explanation | None:
        """The readings of the instructions that explain what the bring-up networks did; None where all are equal."""
        return None if self.bringup is None or self.bringup.equal else self.bringup.explanation()

    @property
    def failed(self) -> bool:
        """True when a run differs from the oracle, or the network does not fit the board."""
        differs = self.comparison is not None and not self.comparison.equal
        blocked = any(c.failed for c in self.checks if c.name in ("fits the board", "placement checked independently"))
        return differs or blocked or (self.bringup is not None and not self.bringup.equal)

    def mark(self, check: Check) -> str:
        """Whether a check passed, in one or two words; a dry run does not need what only a board needs."""
        return LATER if self._later(check) else MARKS[check.state]

    def found(self, check: Check) -> str:
        """What a check found and what to do where it did not pass."""
        remedy = f"for a board: {check.remedy}" if self._later(check) else check.remedy
        return f"{check.found}; {remedy}" if check.failed and check.remedy else check.found

    def _later(self, check: Check) -> bool:
        return self.dry_run and check.failed and check.board_only

    def rows(self) -> list[tuple[str, Figure, Figure | None]]:
        """(quantity, estimated, measured) for every figure; measured is None where nothing was measured."""
        e, m = self.estimate, self.measurement
        account = e.best_account

        def of(name: str, value: float | None, unit: str) -> Figure | None:
            if m is None:
                return None
            return Figure(name, value, unit, MEASURED if value is not None else "NF", m.label)

        nj = 1e3
        dynamic = None if m is None else m.per_image_uj(m.dynamic_mw)
        total = None if m is None else m.per_image_uj(m.total_mw)
        return [
            ("mean step", e.step_us, of("mean step", m.step_us if m else None, "µs")),
            ("images per second", e.images_per_s, of("images per second", m.images_per_s if m else None, "1/s")),
            ("dynamic energy", account.dynamic, of("dynamic", None if dynamic is None else dynamic * nj, "nJ")),
            ("total energy, least", account.low, of("total", None if total is None else total * nj, "nJ")),
        ]

    def to_dict(self) -> dict[str, object]:
        """The whole report as JSON-compatible values."""
        return {
            "network": self.network,
            "dry_run": self.dry_run,
            "checks": [c.to_dict() for c in self.checks],
            "bringup": None if self.bringup is None else self.bringup.to_dict(self.explanation),
            "handover": None if self.handover is None else str(self.handover),
            "comparison": None if self.comparison is None else self.comparison.to_dict(),
            "not_run": self.not_run or None,
            "measurement": None if self.measurement is None else self.measurement.to_dict(),
            "estimated_and_measured": [
                {"quantity": q, "estimated": _cell(a), "measured": None if b is None else _cell(b)}
                for q, a, b in self.rows()
            ],
            "estimate": estimate_document(self.estimate),
            "failed": self.failed,
        }

    def markdown(self) -> str:
        """The report as a page in Markdown."""
        lines = [f"# {self.network} on {self.estimate.board}", "", self._headline(), "", "## Preflight", ""]
        lines += _table(
            ("check", "passed", "found", "remedy"),
            [(c.name, self.mark(c), c.found, c.remedy) for c in self.checks],
        )
        lines += ["", "## Bring-up", "", *self.bringup_lines(), ""]
        lines += ["## Against the oracle", "", self._compared(), "", "## Time and energy per image", ""]
        rows = [
            (q, str(a), f"{a.status}: {a.source}", "not measured" if b is None else str(b)) for q, a, b in self.rows()
        ]
        lines += _table(("quantity", "estimated", "source of the estimate", "measured"), rows)
        if self.measurement is not None:
            m = self.measurement
            lines += ["", f"Measured over {m.steps:,} steps, {m.label}; static power of idle chips is subtracted."]
            lines += [f"- caution: {w}" for w in m.warnings]
        if self.estimate.accounts[0].dynamic.value is None:
            spent = self.estimate.best_account
            told = "" if spent.low.value is None else f": {energy_text(spent.low.value)} at least"
            lines += ["", f"The energy of an operation on {self.estimate.chip} is not public."]
            lines += [f"The total is {spent.table}{told}."]
        lines += ["", *(f"- {s}" for s in (*self.estimate.sentences, *self.estimate.notes)), ""]
        return "\n".join(lines)

    def bringup_lines(self) -> list[str]:
        """What the bring-up networks did, in sentences."""
        if self.bringup is None:
            return ["The bring-up networks were left out (--skip-bringup)."]
        done = self.bringup
        if done.equal:
            head = f"{len(done.runs)} networks on {done.where}: every spike and potential of every step is equal."
            return [f"{head} Delays of the adapters in steps: {done.delays}."]
        differing = [f"- {name}: {run.first}" for name, run in done.runs.items() if run.differences]
        assert self.explanation is not None
        return [f"On {done.where}:", *differing, "", *self.explanation.sentences()]

    def _headline(self) -> str:
        if self.dry_run:
            return "A rehearsal: no board was touched, every figure of time and energy is an estimate."
        return "Run on the board." + ("" if self.measurement else " Time and energy were not measured.")

    def _compared(self) -> str:
        c = self.comparison
        if c is None:
            return f"Nothing ran: {self.not_run}."
        head = f"{c.where}, {c.images} images, spikes of {', '.join(c.populations) or 'no population'}: "
        if c.delays is not None:
            head = f"Delays of the adapters in steps: {c.delays}.\n\n{head}"
        if c.equal:
            return head + "every spike and every output is equal."
        found = f"{c.differing_spikes} spikes and {c.differing_outputs} outputs differ, {c.same_class} classes agree. "
        return head + found + f"First: {c.first}. To do: {c.remedy}."

    def write(self, path: str | Path) -> tuple[Path, Path]:
        """Write the report as JSON and as Markdown.

        Args:
            path: Path without suffix; a suffix is replaced.

        Returns:
            The paths of <path>.json and <path>.md.
        """
        stem = Path(path).with_suffix("")
        document, text = stem.with_suffix(".json"), stem.with_suffix(".md")
        write_whole(document, (json_text(self.to_dict()) + "\n").encode("utf-8"))
        write_whole(text, self.markdown().encode("utf-8"))
        return document, text


def _cell(figure: Figure) -> Mapping[str, object]:
    return {"value": figure.value, "unit": figure.unit, "status": figure.status, "source": figure.source}


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(c.replace("|", "\\|").replace("\n", " ") for c in cells) + " |"

    return [line(columns), line(["---"] * len(columns)), *(line(r) for r in rows)]
