"""Limits on the figures of a network, and the distance of a network from them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import inf, sqrt
from typing import Any

from loihi_onespike.errors import ConfigurationError
from loihi_onespike.evaluation import Accuracy, Evaluation


@dataclass(frozen=True)
class NetworkFigures:
    """Figures of one network on one set of images.

    Attributes:
        accuracy, ann_accuracy: accuracy of the network and of the ANN on the same images.
        latency_steps, period_steps: as in `Evaluation`.
        spikes: spikes per hidden neuron and image.
        synops: synaptic operations per image.
        alpha: energy of the ANN divided by that of the network (Eq. 6, INT8).
        energy_nj: energy per image at the prices of the board whose account the search uses, as in `Evaluation`; None
            in the account of α.
    """

    accuracy: Accuracy
    ann_accuracy: Accuracy
    latency_steps: int
    period_steps: int
    spikes: float
    synops: float
    alpha: float
    energy_nj: float | None = None

    @classmethod
    def of(cls, evaluation: Evaluation) -> NetworkFigures:
        """Figures from an evaluation that includes the ANN."""
        assert evaluation.ann_accuracy is not None
        return cls(
            evaluation.accuracy,
            evaluation.ann_accuracy,
            evaluation.latency_steps,
            evaluation.period_steps,
            evaluation.hidden_spikes_per_neuron,
            evaluation.synaptic_operations,
            evaluation.alpha_int8,
            evaluation.energy_nj,
        )

    @property
    def loss_pp(self) -> float:
        """ANN minus SNN accuracy in percentage points."""
        return 100 * (self.ann_accuracy.value - self.accuracy.value)

    @property
    def objectives(self) -> tuple[float, float, float]:
        """Objectives to minimise: loss in percentage points (at least 0), latency in steps, spikes per neuron."""
        return max(self.loss_pp, 0.0), float(self.latency_steps), self.spikes

    @property
    def energy(self) -> float:
        """Energy in the account of the search: nJ on its board, or that of Eq. 6 as a share of the ANN's, 1 / α."""
        if self.energy_nj is not None:
            return self.energy_nj
        return 1 / self.alpha if self.alpha > 0 else inf

    @property
    def compared(self) -> tuple[float, float, float, float]:
        """What the points of a front are compared by: the objectives and the energy."""
        return *self.objectives, self.energy

    @property
    def lost_images(self) -> int:
        """Correct answers of the ANN minus those of the network."""
        return self.ann_accuracy.correct - self.accuracy.correct

    def to_dict(self) -> dict[str, Any]:
        """JSON-like values by attribute, and the loss."""
        accuracies = {"accuracy": self.accuracy.to_dict(), "ann_accuracy": self.ann_accuracy.to_dict()}
        return {**vars(self), **accuracies, "loss_pp": self.loss_pp}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> NetworkFigures:
        """Inverse of `to_dict`; raises ValueError where a figure is missing or no number."""
        known = {"energy_nj": None, **stored}  # studies of earlier versions have no energy of a board
        made: dict[str, Any] = {f.name: known.get(f.name) for f in fields(cls)}
        for name in ("accuracy", "ann_accuracy"):
            made[name] = _accuracy(name, made[name])
        for name, value in made.items():
            optional = name == "energy_nj" and value is None
            if not (isinstance(value, Accuracy) or _is_number(value) or optional):
                raise ValueError(f"{name}: must be a number, got {str(value)[:SHOWN]!r}")
        return cls(**made)


SHOWN = 80
"""Characters of a wrong value that an error shows."""


def _accuracy(name: str, stored: Any) -> Accuracy:
    correct, total = (stored.get(key) if isinstance(stored, dict) else None for key in ("correct", "total"))
    if not (type(correct) is int and type(total) is int and 0 <= correct <= total < 2**53):
        raise ValueError(f"{name}: must have the counts correct ≤ total, got {str(stored)[:SHOWN]!r}")
    return Accuracy(correct, total)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= inf and value == value


@dataclass(frozen=True)
class Limits:
    """Upper limits, and for alpha a lower limit; None where there is no limit.

    Attributes:
        loss_pp: accuracy of the ANN minus that of the network in percentage points.
        latency_steps: steps from the first input phase to the decision.
        spikes: spikes per hidden neuron and image.
        synops: synaptic operations per image.
        alpha: smallest energy of the ANN divided by that of the network (Eq. 6, INT8).

    Raises:
        ConfigurationError: a limit is not above 0 (`loss_pp`: below 0).
    """

    loss_pp: float | None = None
    latency_steps: float | None = None
    spikes: float | None = None
    synops: float | None = None
    alpha: float | None = None

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is not None and not (value > 0 or (name == "loss_pp" and value >= 0)):
                least = "at least" if name == "loss_pp" else "above"
                raise ConfigurationError(f"{name}: must be a limit {least} 0, got {value}")

    def excess(self, m: NetworkFigures) -> dict[str, float]:
        """Excess over each limit as a share of it, 0 where the limit is kept.

        The excess of the loss is given in percentage points, since its limit may be 0.
        """
        found: dict[str, float] = {}
        for name, value in vars(self).items():
            if value is None:
                continue
            if name == "loss_pp":
                found[name] = max(m.loss_pp - value, 0.0)
            elif name == "alpha":
                found[name] = max(value / m.alpha - 1, 0.0) if m.alpha > 0 else float("inf")
            else:
                found[name] = max(getattr(m, name) / value - 1, 0.0)
        return found

    def kept(self, m: NetworkFigures) -> bool:
        """True where all limits are kept."""
        return not any(self.excess(m).values())

    def distance(self, m: NetworkFigures) -> float:
        """Sum of the excesses; 0 where all limits are kept."""
        return sum(self.excess(m).values())

    def missed(self, m: NetworkFigures) -> list[str]:
        """Text for every limit that is not kept, such as "spikes 0.71, limit 0.6"."""
        return [
            f"{name} {getattr(m, name):.4g}, limit {getattr(self, name):g}"
            for name, excess in self.excess(m).items()
            if excess
        ]


def surely_dominates(a: NetworkFigures, b: NetworkFigures) -> bool:
    """True where a dominates b with a loss that is lower by more than chance.

    A loss of k images comes from at least k different answers, so its standard deviation is at least √k.
    """
    chance = sqrt(max(abs(a.lost_images) + abs(b.lost_images), 1))
    return dominates(a, b) and b.lost_images - max(a.lost_images, 0) > chance


def dominates(a: NetworkFigures, b: NetworkFigures) -> bool:
    """True where neither an objective nor the energy of a is worse than that of b and at least one is better."""
    pairs = list(zip(a.compared, b.compared, strict=True))
    return all(x <= y for x, y in pairs) and any(x < y for x, y in pairs)
