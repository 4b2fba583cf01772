"""Section on levels: what the neurons of a population would like to say, and the levels that they have for it."""

from __future__ import annotations

from typing import Any

import numpy as np

from loihi_onespike.analysis.report.content.measured_spikes import MeasuredSpikes
from loihi_onespike.analysis.report.content.subject import Section, missing
from loihi_onespike.analysis.report.content.value_counts import ValueCounts, borders


def levels_section(measured: MeasuredSpikes) -> Section:
    """Histogram, levels and thresholds of every population that decides by thresholds."""
    found = [_population(counts, measured.ann_values.get(name)) for name, counts in measured.values.items()]
    if not found:
        return missing("No population of this network decides by thresholds of its own.")
    return {"images": measured.activity.images, "populations": found}


def _population(counts: ValueCounts, ann: ValueCounts | None) -> dict[str, Any]:
    p = counts.population
    words = p.code.words()[1:]
    below = borders(p)
    negative = borders(p, "negative") if p.signed else None
    far = None if p.far is None else borders(p, "far")
    rows = [
        {
            "phase": int(phase),
            "message": int(message),
            "level": float(level),
            "threshold": below[i].tolist(),
            "negative": None if negative is None else (-negative[i]).tolist(),
            "far": None if far is None else (-far[i]).tolist(),
        }
        for i, (phase, message, level) in enumerate(
            zip(p.code.phase_of(words), p.code.messages, p.code.levels(), strict=True)
        )
    ]
    return {
        "name": p.name,
        "kind": p.kind,
        "code": str(p.code),
        "signed": p.signed,
        "one_sided": 0.0 if p.one_sided is None else float(np.broadcast_to(p.one_sided, p.shape).mean()),
        "dip": far is not None,
        "scale": [float(p.scale.min()), float(p.scale.max())],
        "offset": [float(p.offset.min()), float(p.offset.max())],
        "edges": [float(counts.edges[0]), float(counts.edges[-1])],
        "counts": counts.counts.tolist(),
        "below": counts.below,
        "above": counts.above,
        "values": counts.total,
        "same_axis": bool(np.all(np.isfinite(below))) and p.kind in LIKE_THE_INPUT,
        "ann": None if ann is None else {"counts": ann.counts.tolist(), "values": ann.total},
        "words": rows,
    }


LIKE_THE_INPUT = ("relu", "linear", "identity", "average_pool", "clip")
"""Kinds whose value is the pre-activation itself, up to its limits, so that levels and thresholds share an axis."""
