"""Fig. 6: mean absolute percentage error of the code over its base (Eq. 5). Needs neither model nor data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.paper_tables.table import Row, Table
from loihi_onespike.core.codes import Base, best_base, percentage_error

PAPER_MINIMA = {16: 1.3, 24: 1.2}
"""Base with the smallest error according to the paper, by timesteps."""


def fig6(timesteps: Sequence[int] = (16, 24), bases: Sequence[float] = ()) -> Table:
    """Error by Eq. 5 with μ = 0 and σ = 1 for bases from 1.05 to 2 (or those given), and the bases of its minima."""
    grid = [Base.nearest(q) for q in (bases or np.round(np.arange(1.05, 2.001, 0.05), 2))]
    rows: list[Row] = [
        {"base": round(base.value, 3), **{f"MAPE % T={t}": 100 * percentage_error(base, t) for t in timesteps}}
        for base in grid
    ]
    notes = []
    for t in timesteps:
        best = best_base(t)
        said = f", the paper says near {PAPER_MINIMA[t]}" if t in PAPER_MINIMA else ""
        notes.append(f"T={t}: least at base {best.value:.2f}, {100 * percentage_error(best, t):.2f} %{said}")
    return Table("Fig. 6: error of the code over its base (Eq. 5, μ = 0, σ = 1)", rows, notes)
