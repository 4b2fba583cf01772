"""The result of a diagnosis as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from loihi_onespike.analysis.diagnosis.causes import NAMES, Cause
from loihi_onespike.analysis.diagnosis.measuring.output_error import OutputError
from loihi_onespike.analysis.diagnosis.measuring.statistics import LayerStatistics
from loihi_onespike.evaluation.population_cost import PopulationCost


@dataclass(frozen=True)
class Loss:
    """Effect of causes on the output, in units of the diagnosis' measure.

    Attributes:
        value: error of the network minus its error with the causes switched off, thus the gain of switching them
            off. It is negative where they compensate other errors.
        uncertainty: standard error of `value` over the samples.
        alone: error of the ANN with only these causes. It is more stable than `value`, since a change in one layer
            of the network moves other values of all later layers across their thresholds.
        without: error with the causes switched off.
    """

    value: float
    uncertainty: float
    alone: float
    without: OutputError

    @property
    def certain(self) -> bool:
        """True where `value` differs from 0 by more than two standard errors."""
        return abs(self.value) > 2 * self.uncertainty

    def to_dict(self) -> dict[str, object]:
        """JSON-like values."""
        return {
            "loss": self.value,
            "alone": self.alone,
            "uncertainty": self.uncertainty,
            "certain": self.certain,
            "without": self.without.to_dict(),
        }


@dataclass(frozen=True)
class LayerDiagnosis:
    """Result for one population.

    Attributes:
        name, kind: name and kind of the population.
        losses: loss by cause, for the causes that occur.
        total: loss of all its causes together.
        statistics: counted figures; None for the input.
        remedy: one sentence on the main cause and what reduces it; empty where the population loses nothing.
    """

    name: str
    kind: str
    losses: Mapping[Cause, Loss]
    total: Loss
    statistics: LayerStatistics | None
    remedy: str = ""

    @property
    def interaction(self) -> float:
        """Loss of all causes together minus the sum of their single losses."""
        return self.total.value - sum(loss.value for loss in self.losses.values())

    @property
    def main(self) -> Cause | None:
        """The cause with the largest error alone; None where no cause has any."""
        worst = max(self.losses, key=lambda cause: self.losses[cause].alone, default=None)
        return worst if worst is not None and self.losses[worst].alone > 0 else None

    def to_dict(self) -> dict[str, object]:
        """JSON-like values."""
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
    """Losses of a network by population and cause.

    Attributes:
        network: name of the network.
        images: number of samples measured; fewer than `requested` after an interruption.
        requested: number of samples given.
        measure: unit of the losses: "relative" (squared relative error of the output) or "kl" (nats).
        integer: error of the integer network.
        error: error of the same network in real numbers, which the losses refer to.
        exact: error with every cause switched off in all populations.
        layers: results in the order of the network, the input first.
        everywhere: loss by cause, each switched off in all populations.
        corrected: True where the calibration corrected biases. The means of the channels are then kept when an error
            is switched off.
        sentence: summary in one sentence.
        costs: spikes, operations and energy of every population on the same samples, in the order of the network.
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
    costs: tuple[PopulationCost, ...] = ()

    @property
    def interrupted(self) -> bool:
        """True where not all samples were measured."""
        return self.images < self.requested

    @property
    def total(self) -> float:
        """Loss of all causes together."""
        return self.error.measured(self.measure) - self.exact.measured(self.measure)

    @property
    def integer_arithmetic(self) -> float:
        """Error that the integers add to the network in real numbers: floors of leaks and thresholds."""
        return self.integer.measured(self.measure) - self.error.measured(self.measure)

    @property
    def interaction_of_layers(self) -> float:
        """Total loss minus the sum of the losses of the populations."""
        return self.total - sum(layer.total.value for layer in self.layers)

    @property
    def interaction_of_causes(self) -> float:
        """Total loss minus the sum of the losses of the causes, each switched off in all populations."""
        return self.total - sum(loss.value for loss in self.everywhere.values())

    @property
    def ranked(self) -> tuple[LayerDiagnosis, ...]:
        """Populations by decreasing error alone."""
        return tuple(sorted(self.layers, key=lambda layer: -layer.total.alone))

    @property
    def main(self) -> Cause | None:
        """The cause with the largest error alone in all populations; None where no cause has any."""
        worst = max(self.everywhere, key=lambda cause: self.everywhere[cause].alone, default=None)
        return worst if worst is not None and self.everywhere[worst].alone > 0 else None

    def share(self, value: float) -> float:
        """A value as a share of the network's error."""
        whole = self.error.measured(self.measure)
        return value / whole if whole else 0.0

    @property
    def error_shares(self) -> dict[str, float]:
        """Error of every population alone as a share of the network's error, by name; they need not add up to 1."""
        return {layer.name: self.share(layer.total.alone) for layer in self.layers}

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
            "costs": [{**vars(cost), "share_of_error": self.error_shares.get(cost.name)} for cost in self.costs],
            "sentence": self.sentence,
        }
