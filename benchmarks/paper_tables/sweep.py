"""Fig. 8 and 9: accuracy over base and timesteps, with the error that Eq. 5 predicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.paper_tables.experiment import Experiment, FloatResult, paper
from benchmarks.paper_tables.table import Row, Table
from loihi_onespike.conversion.codes_of_options import hidden_code
from loihi_onespike.core.codes import percentage_error


def sweep(experiment: Experiment, timesteps: Sequence[int], bases: Sequence[float], title: str) -> Table:
    """Accuracy and loss of the paper's method (float weights, full wait) and the error of Eq. 5, by T and Q.

    Args:
        experiment: model and data.
        timesteps: values of T.
        bases: values of Q.
        title: title of the table.
    """
    rows: list[Row] = []
    notes = []
    for t in timesteps:
        points = [_point(experiment, t, q) for q in bases]
        rows += [p.row(experiment) for p in points]
        predicted = min(points, key=lambda p: p.error)
        # The agreement also ranks bases whose losses are equal.
        found = max(points, key=lambda p: (p.result.agreement.value, -p.error))
        notes.append(
            f"T={t}: least error by Eq. 5 at Q={predicted.base}, most agreement with the ANN at Q={found.base}"
        )
    return Table(title, rows, notes, experiment.facts)


@dataclass(frozen=True)
class Point:
    """Measurement at one T and Q.

    Attributes:
        timesteps: T.
        base: Q.
        error: error by Eq. 5 as a fraction.
        result: measured figures.
    """

    timesteps: int
    base: float
    error: float
    result: FloatResult

    def row(self, experiment: Experiment) -> Row:
        """Row of the table."""
        return {
            "T": self.timesteps,
            "Q": self.base,
            "MAPE % (Eq. 5)": 100 * self.error,
            "SNN": self.result.accuracy,
            "loss pp": experiment.loss_pp(self.result.accuracy),
            "agreement %": 100 * self.result.agreement.value,
        }


def _point(experiment: Experiment, timesteps: int, base: float) -> Point:
    options = paper(timesteps, base)
    error = percentage_error(hidden_code(options).base, timesteps)
    return Point(timesteps, base, error, experiment.float_result(options, count_spikes=False))
