"""Result of a search: the Pareto front of loss, latency, spikes and energy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from loihi_onespike.analysis.tuning.limits import Limits, NetworkFigures, dominates, surely_dominates
from loihi_onespike.analysis.tuning.setting import ConversionSetting
from loihi_onespike.errors import ConfigurationError


@dataclass(frozen=True)
class Point:
    """One setting of the front with its figures.

    Attributes:
        setting: options of the conversion.
        trial: number of its trial in the study.
        search: figures on the images that guided the search; optimistic, since the setting was chosen by them.
        held_out: figures on images that no choice was based on.
    """

    setting: ConversionSetting
    trial: int
    search: NetworkFigures
    held_out: NetworkFigures

    def to_dict(self) -> dict[str, Any]:
        """JSON-like values."""
        return {
            "trial": self.trial,
            "setting": self.setting.to_dict(),
            "search": self.search.to_dict(),
            "held_out": self.held_out.to_dict(),
        }


Minimise: TypeAlias = Literal["loss", "energy", "spikes", "latency"]
"""What the best point has least of, within the limits."""

MEASURES: Mapping[Minimise, Callable[[NetworkFigures], float]] = {
    "loss": lambda figures: figures.objectives[0],
    "energy": lambda figures: figures.energy,
    "spikes": lambda figures: figures.spikes,
    "latency": lambda figures: figures.latency_steps,
}
"""The measure of each; energy is in the account that the search uses (`NetworkFigures.energy`)."""


@dataclass(frozen=True)
class Front:
    """Pareto front of loss, latency, spikes and energy, measured on held-out images.

    Attributes:
        points: settings of the front by increasing latency.
        limits: limits of the search.
        images: images that calibrated, guided the search and measured the points, as `DataSplit.to_dict` gives them.
        tried: figures of all trials on the search images.
        refused: settings that cannot be converted, each with the reason.
        minimise: what the best point has least of.
    """

    points: Sequence[Point]
    limits: Limits
    images: Mapping[str, Any]
    tried: Mapping[ConversionSetting, NetworkFigures]
    refused: Mapping[ConversionSetting, str]
    minimise: Minimise = "loss"

    def __post_init__(self) -> None:
        check_minimise(self.minimise)

    @property
    def within(self) -> list[Point]:
        """Points that keep every limit on the held-out images."""
        return [p for p in self.points if self.limits.kept(p.held_out)]

    @property
    def best(self) -> Point | None:
        """Point with the least of `minimise`, then of loss and spikes, that keeps the limits; None where none does."""
        measure = MEASURES[self.minimise]
        return min(
            self.within,
            key=lambda p: (measure(p.held_out), p.held_out.objectives[0], p.held_out.spikes),
            default=None,
        )

    @property
    def nearest(self) -> Point:
        """Point with the smallest distance from the limits (`Limits.distance`)."""
        return min(self.points, key=lambda p: (self.limits.distance(p.held_out), p.held_out.objectives))

    @property
    def verdict(self) -> str:
        """Summary in one sentence: points that keep the limits, or else the nearest one."""
        best = self.best
        if best is not None and self.limits == Limits():
            return f"no limits were given; least {self.minimise}: {best.setting}"
        if best is not None:
            kept = f"{len(self.within)} of {len(self.points)} points keep the limits"
            return f"{kept}; least {self.minimise}: {best.setting}"
        missed = "; ".join(self.limits.missed(self.nearest.held_out))
        return f"no setting keeps all limits; nearest: {self.nearest.setting} ({missed})"

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON-like values."""
        best = self.best
        return {
            "limits": asdict(self.limits),
            "minimise": self.minimise,
            "verdict": self.verdict,
            "kept": best is not None,
            "best": None if best is None else best.to_dict(),
            "nearest": self.nearest.to_dict(),
            "points": [{**p.to_dict(), "within_limits": self.limits.kept(p.held_out)} for p in self.points],
            "images": dict(self.images),
            "tried": [{"setting": s.to_dict(), "search": m.to_dict()} for s, m in self.tried.items()],
            "refused": [{"setting": s.to_dict(), "reason": r} for s, r in self.refused.items()],
        }


def check_minimise(minimise: str) -> None:
    """Raise ConfigurationError for a measure that is none."""
    if minimise not in MEASURES:
        raise ConfigurationError(f"minimise: must be one of {', '.join(MEASURES)}, got {minimise!r}")


def candidates(figures: Mapping[ConversionSetting, NetworkFigures]) -> list[ConversionSetting]:
    """Settings that no other one surely dominates, since on a few images a better one may have lost by chance."""
    return [s for s, m in figures.items() if not any(surely_dominates(other, m) for other in figures.values())]


def not_dominated(figures: Mapping[ConversionSetting, NetworkFigures]) -> list[ConversionSetting]:
    """Settings that no other one dominates; of equal ones only the first."""
    found: list[ConversionSetting] = []
    for setting, m in figures.items():
        beaten = any(dominates(other, m) for other in figures.values())
        if not beaten and all(figures[s].compared != m.compared for s in found):
            found.append(setting)
    return found
