"""What a diagnosis found, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from loihi_onespike.analysis.diagnosis.causes import NAMES, Cause
from loihi_onespike.analysis.diagnosis.measuring.output_error import OutputError
from loihi_onespike.analysis.diagnosis.measuring.statistics import LayerStatistics


@dataclass(frozen=True)
class Loss:
    """What causes cost at the output, in the units of the diagnosis' measure.

    Attributes:
        value: error of the network as it is, less `without`: what is gained by switching the causes off. Negative
            where they make up for others.
        uncertainty: standard error of `value` over the samples.
        alone: error of the ANN with nothing but these causes; steadier than `value`, since what is changed in one
            layer makes other spikes of all later layers cross their thresholds.
        without: error with the causes off.
    """

    value: float
    uncertainty: float
    alone: float
    without: OutputError

    @property
    def certain(self) -> bool:
        """More than two standard errors from nothing."""
        return abs(self.value) > 2 * self.uncertainty

    def to_dict(self) -> dict[str, object]:
        return {
            "loss": self.value,
            "alone": self.alone,
            "uncertainty": self.uncertainty,
            "certain": self.certain,
            "without": self.without.to_dict(),
        }


@dataclass(frozen=True)
class LayerDiagnosis:
    """One population.

    Attributes:
        name, kind: of the population.
        losses: by cause, those that it has.
        total: all its causes off together.
        statistics: None for the input.
        remedy: one sentence, empty where it causes nothing.
    """

    name: str
    kind: str
    losses: Mapping[Cause, Loss]
    total: Loss
    statistics: LayerStatistics | None
    remedy: str = ""

    @property
    def interaction(self) -> float:
        """What the causes lose together beyond the sum of what each one loses alone."""
        return self.total.value - sum(loss.value for loss in self.losses.values())

    @property
    def main(self) -> Cause | None:
        """The cause that alone makes the largest error, None where none makes any."""
        worst = max(self.losses, key=lambda cause: self.losses[cause].alone, default=None)
        return worst if worst is not None and self.losses[worst].alone > 0 else None

    def to_dict(self) -> dict[str, object]:
        return {
            "name": self.name,
            "kind": self.kind,
            "main_cause": None if self.main is None else self.main.value,
            "causes": {cause.value: loss.to_dict() for cause, loss in self.losses.items()},
            "total": self.total.to_dict(),
            "interaction": self.interaction,
            "statistics": None if self.statistics is None else self.statistics.to_dict(),
            "remedy": self.remedy,
        }


@dataclass(frozen=True)
class Diagnosis:
    """Where a network loses.

    Attributes:
        network: its name.
        images: samples that it was diagnosed on; fewer than `requested` after an interruption.
        requested: samples that were given.
        measure: "relative" (squared relative error of the output) or "kl", by which losses are given.
        integer: error of the integer network.
        error: of the same network in real numbers, which the losses are measured in.
        exact: with every cause off everywhere.
        layers: in the order of the network, the input first.
        everywhere: one cause off in all layers.
        corrected: the calibration corrects biases; means of channels are kept when something is switched off.
        sentence: the network in one sentence.
    """

    network: str
    images: int
    requested: int
    measure: str
    integer: OutputError
    error: OutputError
    exact: OutputError
    layers: tuple[LayerDiagnosis, ...]
    everywhere: Mapping[Cause, Loss]
    corrected: bool
    sentence: str = ""

    @property
    def interrupted(self) -> bool:
        return self.images < self.requested

    @property
    def total(self) -> float:
        """Loss that all causes have together."""
        return self.error.measured(self.measure) - self.exact.measured(self.measure)

    @property
    def integer_arithmetic(self) -> float:
        """Error of the integers beyond that of the same network in real numbers: floors of leaks and thresholds."""
        return self.integer.measured(self.measure) - self.error.measured(self.measure)

    @property
    def interaction_of_layers(self) -> float:
        """Total loss beyond the sum of what the layers lose one by one."""
        return self.total - sum(layer.total.value for layer in self.layers)

    @property
    def interaction_of_causes(self) -> float:
        """Total loss beyond the sum of what the causes lose one by one, each off everywhere."""
        return self.total - sum(loss.value for loss in self.everywhere.values())

    @property
    def ranked(self) -> tuple[LayerDiagnosis, ...]:
        """Layers, the one first that alone makes the largest error."""
        return tuple(sorted(self.layers, key=lambda layer: -layer.total.alone))

    @property
    def main(self) -> Cause | None:
        """The cause that alone, everywhere, makes the largest error; None where none makes any."""
        worst = max(self.everywhere, key=lambda cause: self.everywhere[cause].alone, default=None)
        return worst if worst is not None and self.everywhere[worst].alone > 0 else None

    def share(self, value: float) -> float:
        """Of the network's error."""
        whole = self.error.measured(self.measure)
        return value / whole if whole else 0.0

    def _shares(self, loss: Loss) -> dict[str, float]:
        return {"share": self.share(loss.value), "share_alone": self.share(loss.alone)}

    def document(self) -> dict[str, object]:
        """Everything as JSON-like values."""
        return {
            "network": self.network,
            "images": self.images,
            "requested_images": self.requested,
            "interrupted": self.interrupted,
            "measure": self.measure,
            "error": self.error.to_dict(),
            "error_of_the_integer_network": self.integer.to_dict(),
            "error_without_any_cause": self.exact.to_dict(),
            "total_loss": self.total,
            "integer_arithmetic": self.integer_arithmetic,
            "means_kept": self.corrected,
            "causes": {
                c.value: {
                    **loss.to_dict(),
                    "name": NAMES[c],
                    "share": self.share(loss.value),
                    "share_alone": self.share(loss.alone),
                }
                for c, loss in self.everywhere.items()
            },
            "interaction_of_causes": self.interaction_of_causes,
            "interaction_of_layers": self.interaction_of_layers,
            "main_cause": None if self.main is None else self.main.value,
            "layers": [{**y.to_dict(), **self._shares(y.total)} for y in self.layers],
            "sentence": self.sentence,
        }
