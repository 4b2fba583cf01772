"""What the picture of a front shows, read back from the axes."""

import numpy as np
from matplotlib.figure import Figure

from loihi_onespike.analysis.plots.front import draw_front
from loihi_onespike.analysis.tuning import ConversionSetting, Front, Limits, NetworkFigures, Point
from loihi_onespike.evaluation import Accuracy


def figures(right, latency, spikes):
    return NetworkFigures(Accuracy(right, 100), Accuracy(95, 100), latency, latency, spikes, 1000.0, 10.0)


def test_points_intervals_and_limits():
    tried = {ConversionSetting(t, t, "auto", t == 8): figures(94, 10 * t, t / 10) for t in (4, 8)}
    points = [Point(s, i, m, figures(93, m.latency_steps, m.spikes)) for i, (s, m) in enumerate(tried.items())]
    front = Front(points, Limits(loss_pp=1.5, latency_steps=60), {}, tried, {})
    left, right = Figure().subplots(1, 2)
    draw_front((left, right), front)
    two_sided, one_sided = left.containers
    np.testing.assert_allclose([c[0].get_xydata()[0] for c in (two_sided, one_sided)], [[80, 2], [40, 2]])
    np.testing.assert_allclose([c[0].get_xydata()[0] for c in right.containers], [[0.8, 2], [0.4, 2]])
    low, high = (100 * end for end in Accuracy(93, 100).interval)
    np.testing.assert_allclose(two_sided[2][0].get_segments()[0][:, 1], [95 - high, 95 - low])
    np.testing.assert_allclose(left.collections[0].get_offsets(), [[40, 1], [80, 1]])
    dashed = [line.get_xydata()[0].tolist() for line in left.lines if line.get_linestyle() == "--"]
    assert [60, 0] in dashed and [0, 1.5] in dashed
    assert len([line for line in right.lines if line.get_linestyle() == "--"]) == 1  # no limit of spikes was asked for
