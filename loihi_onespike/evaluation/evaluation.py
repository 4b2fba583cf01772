"""What `evaluate` reports, with 95 % intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import prod, sqrt

from loihi_onespike.core.graphs.network import Network
from loihi_onespike.core.operation_prices import OperationPrices
from loihi_onespike.evaluation.alpha import FP32, INT8, additions_per_spike, relative_efficiency
from loihi_onespike.evaluation.population_cost import PopulationCost, population_costs
from loihi_onespike.evaluation.spike_counter import SpikeCounter

Z_95 = 1.959963984540054
"""97.5 % quantile of the normal distribution: two-sided 95 % intervals."""


def wilson_interval(correct: int, total: int) -> tuple[float, float]:
    """95 % Wilson score interval of a proportion (E. B. Wilson, JASA 1927); (0, 1) for no samples."""
    if total == 0:
        return 0.0, 1.0
    p, z2 = correct / total, Z_95**2
    centre = (p + z2 / (2 * total)) / (1 + z2 / total)
    half = Z_95 * sqrt(p * (1 - p) / total + z2 / (4 * total**2)) / (1 + z2 / total)
    return max(0.0, centre - half), min(1.0, centre + half)


@dataclass(frozen=True)
class Accuracy:
    """A proportion of samples with its interval.

    Attributes:
        correct, total: counts.
    """

    correct: int
    total: int

    @property
    def value(self) -> float:
        """Fraction of correct images; NaN without images."""
        return self.correct / self.total if self.total else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson interval of the fraction."""
        return wilson_interval(self.correct, self.total)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{100 * self.value:.2f} % [{100 * low:.2f}, {100 * high:.2f}]"

    def to_dict(self) -> dict[str, object]:
        """The accuracy as values for JSON."""
        return {"value": self.value, "interval": list(self.interval), "correct": self.correct, "total": self.total}


@dataclass(frozen=True)
class Evaluation:
    """Result of running a network on labelled data.

    Attributes:
        executor: what ran it.
        accuracy: of the one-spike network; of no samples where a metric was measured instead.
        ann_accuracy: of the ANN on the same samples, None without the ANN (a network loaded from a file).
        agreement: samples on which both choose the same class, None without the ANN.
        spikes_per_neuron: mean spikes per neuron and sample, per population, the input included.
        hidden_spikes_per_neuron: the same over all hidden neurons together.
        synaptic_operations: per sample: each spike times the targets it has, over all synapses, stored weights of 0
            included.
        nonzero_operations: the same without weights of 0.
        alpha_fp32, alpha_int8: energy of the ANN over that of the network by Eq. 6, without additions of weights of 0,
            which pruning removes; NaN where the network does not record the multiply-accumulates of its ANN.
        alpha_all_fp32, alpha_all_int8: the same with an addition for every weight, as the paper counts.
        additions_per_spike: additions that a spike counts as in α at most; above 1 with payload only.
        latency_steps: from the first input phase to the decision.
        period_steps: between two samples in the pipeline.
        clipped_inputs: input values far outside the range of the calibration, which the network clips.
        clipped_share: the same as a share of all input values.
        populations: what every population costs, in the order of the network.
        board: board whose prices give the energies; None without one.
        energy_source: whose energies these are.
        energy_nj: energy per sample on that board: synaptic operations, updates and messages, without hops between
            tiles and static power, which follow from a placement; None without a board.
        metric, ann_metric: what the metric gives for the outputs of the network and of the ANN, by name; None without
            a metric, and `ann_metric` without the ANN.
        samples: number of samples whose spikes were counted.
    """

    executor: str
    accuracy: Accuracy
    ann_accuracy: Accuracy | None
    agreement: Accuracy | None
    spikes_per_neuron: Mapping[str, float]
    hidden_spikes_per_neuron: float
    synaptic_operations: float
    nonzero_operations: float
    alpha_fp32: float
    alpha_int8: float
    alpha_all_fp32: float
    alpha_all_int8: float
    latency_steps: int
    period_steps: int
    clipped_inputs: int = 0
    clipped_share: float = 0.0
    additions_per_spike: int = 1
    populations: tuple[PopulationCost, ...] = ()
    board: str | None = None
    energy_source: str | None = None
    energy_nj: float | None = None
    metric: Mapping[str, float] | None = None
    ann_metric: Mapping[str, float] | None = None
    samples: int = 0

    @classmethod
    def of(
        cls,
        network: Network,
        executor: str,
        counter: SpikeCounter,
        accuracy: Accuracy,
        ann_accuracy: Accuracy | None,
        agreement: Accuracy | None,
        clipped_inputs: int = 0,
        prices: OperationPrices | None = None,
    ) -> Evaluation:
        """The report of counted traces of a network.

        Args:
            network: network that ran.
            executor: name of the executor.
            counter: counts of its spikes.
            accuracy: accuracy of the network; of no samples where a metric is measured.
            ann_accuracy: accuracy of the ANN, None without it.
            agreement: share of images with the ANN's class, None without it.
            clipped_inputs: input values far outside the range of the calibration.
            prices: prices of a board; None for none.
        """
        costs = population_costs(network, counter, prices)
        rates, made = counter.spikes_per_neuron(), counter.made()
        neurons = sum(prod(p.shape) for p in network.hidden)
        hidden = sum(counter.spikes[p.name] for p in network.hidden) / (neurons * counter.images)
        return cls(
            executor=executor,
            accuracy=accuracy,
            ann_accuracy=ann_accuracy,
            agreement=agreement,
            spikes_per_neuron=rates,
            hidden_spikes_per_neuron=hidden,
            synaptic_operations=sum(counter.synaptic_operations.values()) / counter.images,
            nonzero_operations=sum(counter.nonzero_operations.values()) / counter.images,
            alpha_fp32=relative_efficiency(network, rates, FP32, made),
            alpha_int8=relative_efficiency(network, rates, INT8, made),
            alpha_all_fp32=relative_efficiency(network, rates, FP32),
            alpha_all_int8=relative_efficiency(network, rates, INT8),
            latency_steps=network.latency_steps,
            period_steps=network.period_steps,
            clipped_inputs=clipped_inputs,
            clipped_share=clipped_inputs / (counter.images * prod(network.input.shape)),
            additions_per_spike=additions_per_spike(network),
            populations=costs,
            board=None if prices is None else prices.name,
            energy_source=None if prices is None else prices.source,
            energy_nj=None if prices is None else sum(cost.energy_nj or 0.0 for cost in costs),
            samples=counter.images,
        )

    @property
    def images(self) -> int:
        """Number of evaluated images."""
        return self.accuracy.total if self.metric is None else self.samples

    @property
    def loss_pp(self) -> float | None:
        """ANN minus SNN accuracy in percentage points, None without the ANN."""
        return None if self.ann_accuracy is None else 100 * (self.ann_accuracy.value - self.accuracy.value)

    def to_dict(self) -> dict[str, object]:
        """Everything as JSON-like values."""
        fields: dict[str, object] = asdict(self)
        for name in ("accuracy", "ann_accuracy", "agreement"):
            value = getattr(self, name)
            fields[name] = None if value is None else value.to_dict()
        del fields["samples"]
        if self.metric is None:  # documents of accuracies are those of earlier releases
            del fields["metric"], fields["ann_metric"]
        else:
            fields["accuracy"] = None
        return {**fields, "images": self.images, "loss_pp": self.loss_pp}
