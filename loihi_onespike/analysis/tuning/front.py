"""The result: settings of which none is better than another in everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from loihi_onespike.analysis.tuning.limits import Limits, NetworkFigures, dominates, surely_dominates
from loihi_onespike.analysis.tuning.setting import ConversionSetting


@dataclass(frozen=True)
class Point:
    """One setting with its figures.

    Attributes:
        trial: its number in the study.
        search: on the images that guided the search; chosen for being good there, so they flatter.
        held_out: on images that nothing was chosen by; exact integers.
    """

    setting: ConversionSetting
    trial: int
    search: NetworkFigures
    held_out: NetworkFigures

    def to_dict(self) -> dict[str, Any]:
        return {
            "trial": self.trial,
            "setting": self.setting.to_dict(),
            "search": self.search.to_dict(),
            "held_out": self.held_out.to_dict(),
        }


@dataclass(frozen=True)
class Front:
    """Pareto front of loss, latency and spikes, measured on held-out images.

    Attributes:
        points: by increasing latency.
        limits: what was asked for.
        images: which images calibrated, guided the search and measured the points.
        tried: figures of all trials on the search images.
        refused: settings that cannot be converted, with the reason.
    """

    points: Sequence[Point]
    limits: Limits
    images: Mapping[str, Any]
    tried: Mapping[ConversionSetting, NetworkFigures]
    refused: Mapping[ConversionSetting, str]

    @property
    def within(self) -> list[Point]:
        """Points that keep every limit on the held-out images."""
        return [p for p in self.points if self.limits.kept(p.held_out)]

    @property
    def best(self) -> Point | None:
        """Of those that keep the limits the one with the least loss, then spikes; None where no point keeps them."""
        return min(self.within, key=lambda p: (p.held_out.objectives[0], p.held_out.spikes), default=None)

    @property
    def nearest(self) -> Point:
        """The point that is least outside the limits (`Limits.distance`)."""
        return min(self.points, key=lambda p: (self.limits.distance(p.held_out), p.held_out.objectives))

    @property
    def verdict(self) -> str:
        """One sentence: what keeps the limits, or that nothing does and what comes nearest."""
        best = self.best
        if best is not None and self.limits == Limits():
            return f"no limits were given; least loss: {best.setting}"
        if best is not None:
            return f"{len(self.within)} of {len(self.points)} points keep the limits; least loss: {best.setting}"
        missed = "; ".join(self.limits.missed(self.nearest.held_out))
        return f"no setting keeps all limits; nearest: {self.nearest.setting} ({missed})"

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON-like values."""
        best = self.best
        return {
            "limits": asdict(self.limits),
            "verdict": self.verdict,
            "kept": best is not None,
            "best": None if best is None else best.to_dict(),
            "nearest": self.nearest.to_dict(),
            "points": [{**p.to_dict(), "within_limits": self.limits.kept(p.held_out)} for p in self.points],
            "images": dict(self.images),
            "tried": [{"setting": s.to_dict(), "search": m.to_dict()} for s, m in self.tried.items()],
            "refused": [{"setting": s.to_dict(), "reason": r} for s, r in self.refused.items()],
        }


def candidates(figures: Mapping[ConversionSetting, NetworkFigures]) -> list[ConversionSetting]:
    """Settings that no other one dominates beyond chance: on a few images the better one may have lost by luck."""
    return [s for s, m in figures.items() if not any(surely_dominates(other, m) for other in figures.values())]


def not_dominated(figures: Mapping[ConversionSetting, NetworkFigures]) -> list[ConversionSetting]:
    """Settings that no other one dominates, of equal ones the first."""
    found: list[ConversionSetting] = []
    for setting, m in figures.items():
        beaten = any(dominates(other, m) for other in figures.values())
        if not beaten and all(figures[s].objectives != m.objectives for s in found):
            found.append(setting)
    return found
