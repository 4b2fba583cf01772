"""What a network must keep, and how far one is from it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import sqrt
from typing import Any

from loihi_onespike.errors import ConfigurationError
from loihi_onespike.evaluation import Accuracy, Evaluation


@dataclass(frozen=True)
class NetworkFigures:
    """Figures of one network on one set of images.

    Attributes:
        accuracy, ann_accuracy: on the same images.
        latency_steps, period_steps: as in `Evaluation`.
        spikes: per hidden neuron and image.
        synops: synaptic operations per image.
        alpha: Eq. 6 with the costs of INT8.
    """

    accuracy: Accuracy
    ann_accuracy: Accuracy
    latency_steps: int
    period_steps: int
    spikes: float
    synops: float
    alpha: float

    @classmethod
    def of(cls, evaluation: Evaluation) -> NetworkFigures:
        """From an evaluation that knows the ANN."""
        assert evaluation.ann_accuracy is not None
        return cls(
            evaluation.accuracy,
            evaluation.ann_accuracy,
            evaluation.latency_steps,
            evaluation.period_steps,
            evaluation.hidden_spikes_per_neuron,
            evaluation.synaptic_operations,
            evaluation.alpha_int8,
        )

    @property
    def loss_pp(self) -> float:
        """ANN minus SNN accuracy in percentage points."""
        return 100 * (self.ann_accuracy.value - self.accuracy.value)

    @property
    def objectives(self) -> tuple[float, float, float]:
        """(loss in pp, latency in steps, spikes per neuron), to be small; being luckier than the ANN earns nothing."""
        return max(self.loss_pp, 0.0), float(self.latency_steps), self.spikes

    @property
    def lost_images(self) -> int:
        """Right answers of the ANN less those of the network."""
        return self.ann_accuracy.correct - self.accuracy.correct

    def to_dict(self) -> dict[str, Any]:
        accuracies = {"accuracy": self.accuracy.to_dict(), "ann_accuracy": self.ann_accuracy.to_dict()}
        return {**vars(self), **accuracies, "loss_pp": self.loss_pp}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> NetworkFigures:
        """Inverse of `to_dict`."""
        made = {f.name: stored[f.name] for f in fields(cls)}
        for name in ("accuracy", "ann_accuracy"):
            made[name] = Accuracy(made[name]["correct"], made[name]["total"])
        return cls(**made)


@dataclass(frozen=True)
class Limits:
    """Upper limits, None where there is none; for alpha a lower one.

    Attributes:
        loss_pp: accuracy of the ANN minus that of the network, percentage points.
        latency_steps: from the first input phase to the decision.
        spikes: per hidden neuron and image.
        synops: synaptic operations per image.
        alpha: energy of the ANN over that of the network (Eq. 6, INT8), at least.
    """

    loss_pp: float | None = None
    latency_steps: float | None = None
    spikes: float | None = None
    synops: float | None = None
    alpha: float | None = None

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is not None and not (value > 0 or (name == "loss_pp" and value >= 0)):
                raise ConfigurationError(f"{name}: found a limit of {value}, supported numbers above 0")

    def excess(self, m: NetworkFigures) -> dict[str, float]:
        """By how much each limit is exceeded, as a share of it, 0 where it is kept.

        The loss in percentage points, since a share of a limit near 0 would say nothing.
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
        return not any(self.excess(m).values())

    def distance(self, m: NetworkFigures) -> float:
        """Sum of the excesses; 0 where all limits are kept."""
        return sum(self.excess(m).values())

    def missed(self, m: NetworkFigures) -> list[str]:
        """What is not kept, for people: "spikes 0.71, limit 0.6"."""
        return [
            f"{name} {getattr(m, name):.4g}, limit {getattr(self, name):g}"
            for name, excess in self.excess(m).items()
            if excess
        ]


def surely_dominates(a: NetworkFigures, b: NetworkFigures) -> bool:
    """The same, with a loss that is lower by more than chance.

    A loss of k images comes from k or more answers that differ, so it is uncertain by √k at least.
    """
    chance = sqrt(max(abs(a.lost_images) + abs(b.lost_images), 1))
    return dominates(a, b) and b.lost_images - max(a.lost_images, 0) > chance


def dominates(a: NetworkFigures, b: NetworkFigures) -> bool:
    """No objective of a is worse than that of b, and one is better."""
    pairs = list(zip(a.objectives, b.objectives, strict=True))
    return all(x <= y for x, y in pairs) and any(x < y for x, y in pairs)
