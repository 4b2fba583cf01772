"""Limits and dominance, on figures written by hand."""

from dataclasses import replace

import pytest

from loihi_onespike.analysis.tuning import Limits, NetworkFigures
from loihi_onespike.analysis.tuning.front import MEASURES, Front, Point, candidates, not_dominated
from loihi_onespike.analysis.tuning.limits import dominates
from loihi_onespike.analysis.tuning.setting import ConversionSetting, Space
from loihi_onespike.errors import ConfigurationError
from loihi_onespike.evaluation import Accuracy


def figures(right=90, latency=50, spikes=0.5, alpha=10.0):
    """Loss is 95 - right percentage points."""
    return NetworkFigures(Accuracy(right, 100), Accuracy(95, 100), latency, latency // 2, spikes, 1000.0, alpha)


def test_excess_is_a_share_of_the_limit_and_points_for_the_loss():
    limits = Limits(loss_pp=1.0, latency_steps=40, spikes=0.5, alpha=20.0)
    excess = limits.excess(figures())
    assert excess == pytest.approx({"loss_pp": 4.0, "latency_steps": 0.25, "spikes": 0.0, "alpha": 1.0})
    assert not limits.kept(figures()) and limits.distance(figures()) == pytest.approx(5.25)
    assert limits.missed(figures())[:2] == ["loss_pp 5, limit 1", "latency_steps 50, limit 40"]
    assert Limits(loss_pp=5.0, latency_steps=50).kept(figures()) and Limits().kept(figures())


def test_more_accurate_than_the_ann_is_worth_no_more_than_as_accurate():
    assert figures(right=99).objectives == figures(right=95).objectives == (0.0, 50.0, 0.5)


def test_dominance():
    better = figures(latency=40)
    assert dominates(better, figures()) and not dominates(figures(), better)
    assert not dominates(figures(), figures()) and not dominates(figures(spikes=0.4, latency=60), figures())


def test_the_front_of_some_figures():
    a, b, c, d = (ConversionSetting(t, t, "auto", True) for t in (8, 10, 12, 14))
    found = not_dominated({a: figures(), b: figures(latency=40, spikes=0.9), c: figures(latency=60), d: figures()})
    assert found == [a, b]  # c is slower than a, d equals a


def test_the_setting_of_least_energy_is_on_the_front():
    """Fewer spikes can cost more, where they have more targets; with a board its energy counts, not α."""
    a, b = (ConversionSetting(t, t, "auto", True) for t in (8, 10))
    assert not_dominated({a: figures(), b: figures(spikes=0.6, latency=60, alpha=12.0)}) == [a, b]
    on_board = [replace(figures(), energy_nj=7.0), replace(figures(alpha=12.0), energy_nj=9.0)]
    assert not_dominated(dict(zip((a, b), on_board, strict=True))) == [a]
    assert MEASURES["energy"](on_board[0]) == 7.0 and MEASURES["energy"](figures()) == pytest.approx(0.1)
    assert NetworkFigures.from_dict(on_board[0].to_dict()) == on_board[0]


def test_a_loss_that_may_be_chance_is_measured_again():
    """Of 100 images: three more lost than by the faster one are beyond √3, one is not."""
    fast, near, far = (ConversionSetting(t, t, "auto", True) for t in (8, 10, 12))
    lost = {fast: figures(right=95, latency=40), near: figures(right=94), far: figures(right=92)}
    assert not_dominated(lost) == [fast]
    assert candidates(lost) == [fast, near]


def test_measurements_survive_json():
    assert NetworkFigures.from_dict(figures().to_dict()) == figures()


@pytest.mark.parametrize("limit", [{"latency_steps": 0}, {"loss_pp": -0.1}, {"spikes": float("nan")}])
def test_limits_that_are_none(limit):
    with pytest.raises(ConfigurationError, match=r"must be a limit (above|at least) 0, got"):
        Limits(**limit)


def front(limits, *points):
    made = [Point(ConversionSetting(8, 8, "auto", True), i, p, p) for i, p in enumerate(points)]
    return Front(made, limits, {}, {}, {})


def test_the_best_keeps_the_limits_and_loses_least():
    found = front(Limits(latency_steps=50), figures(94, 60), figures(92, 50), figures(93, 40))
    assert found.best.trial == 2 and [p.trial for p in found.within] == [1, 2]
    assert found.verdict.startswith("2 of 3 points keep the limits")
    assert front(Limits(), figures()).verdict == "no limits were given; least loss: T=8 wait=8 Q=auto two-sided"


def test_where_no_limit_can_be_kept_the_nearest_is_named():
    found = front(Limits(loss_pp=0.0, latency_steps=30), figures(94, 60), figures(95, 45), figures(93, 40))
    assert found.best is None and found.nearest.trial == 1
    assert found.verdict.startswith("no setting keeps all limits; nearest: T=8 wait=8")
    assert "latency_steps 45, limit 30" in found.verdict and found.to_dict()["kept"] is False


def test_waits_are_shares_of_the_window():
    space = Space(timesteps=(4, 10), wait_eighths=(3, 8), levels=("auto", 1.5), two_sided=(True, False))
    made = [space.setting(p) for p in space.everything()]
    assert len(made) == 16 and {(s.timesteps, s.wait) for s in made} == {(4, 2), (4, 4), (10, 4), (10, 10)}
    assert all(space.setting(p) in made for p in space.grid()) and len(list(space.grid())) == 8


@pytest.mark.parametrize(
    "given", [{"timesteps": ()}, {"timesteps": (0, 4)}, {"wait_eighths": (9,)}, {"levels": (2, 2)}]
)
def test_spaces_that_are_none(given):
    with pytest.raises(
        ConfigurationError, match=r"must (hold one or more different values|be an integer in|be integers in)"
    ):
        Space(**given)


@pytest.mark.parametrize(("minimise", "trial"), [("loss", 1), ("latency", 2), ("energy", 3), ("spikes", 4)])
def test_the_best_has_least_of_what_is_minimised(minimise, trial):
    points = [
        figures(95, 60), replace(figures(94, 50), alpha=2.0), figures(93, 40), replace(figures(92, 50), alpha=19.0),
        replace(figures(92, 50), spikes=0.01),
    ]  # fmt: skip
    found = replace(front(Limits(latency_steps=50), *points), minimise=minimise)
    assert found.best.trial == trial and f"least {minimise}: " in found.verdict
    assert found.to_dict()["minimise"] == minimise


def test_a_measure_that_is_none():
    with pytest.raises(ConfigurationError, match="minimise: must be one of loss, energy, spikes, latency, got 'joul"):
        Front([], Limits(), {}, {}, {}, "joules")  # type: ignore[arg-type]
