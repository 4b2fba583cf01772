"""Plans by the paper's method, what is told about few samples, and the memory of a pass, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from loihi_onespike.conversion.calibration.calibrate import calibrate, live_bytes
from loihi_onespike.conversion.method import Method
from loihi_onespike.conversion.resolved_options import ResolvedOptions
from loihi_onespike.core.codes import Base, PhaseCode
from tests.support.stage_graphs import two_layers

GRAPH = replace(two_layers(), plans={})
X = np.array([[0.5, 0.75], [0.875, 0.0]], np.float32)


def test_the_papers_scales_are_the_largest_values() -> None:
    """hidden is (0.5, 0.75, 0) and (0.875, 0, 0.875); signed is (0.5 + 1.5 + 0.5, -0.75) and (1.375, 0.875)."""
    seen: list[tuple[str, int, int]] = []
    options = ResolvedOptions(timesteps=4, base=2.0, wait=3, method="paper", payload_bits=0)
    planned = calibrate(GRAPH, [X[:1], X[1:]], options, lambda *step: seen.append(step))
    assert {name: float(plan.scale.item()) for name, plan in planned.plans.items()} == {"hidden": 0.875, "signed": 2.5}
    assert all(plan.code == PhaseCode(Base.nearest(2.0), 4) and plan.wait == 3 for plan in planned.plans.values())
    assert seen == [("calibrate", 1, 2), ("calibrate", 2, 2)]
    assert planned.rewrites == () and planned.stages == GRAPH.stages


def test_few_samples_are_told() -> None:
    method = replace(Method.paper(), bias=True)
    planned = calibrate(GRAPH, [X], ResolvedOptions(timesteps=4, base=2.0, method=method, payload_bits=0))
    assert [note.split(":")[0] for note in planned.rewrites] == ["calibration"]
    assert "found 2 samples, below 64" in planned.rewrites[0]


def test_bytes_at_the_widest_point() -> None:
    """At hidden both networks hold input and hidden, 2 (2 + 3) values, and the layer works on (4 + 2 parts) 3."""
    assert live_bytes(GRAPH) == 4 * (10 + 6 * 3)
    assert live_bytes(GRAPH, parts=3) == 4 * (10 + 10 * 3)
