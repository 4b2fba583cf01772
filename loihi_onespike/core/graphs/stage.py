"""The network as spiking stages in real numbers: which neurons there are and what each of them sums.

Between the ANN and the integer network. A stage is a population to be, still in the units of the ANN:

    z = Σ_links scale · op(gather(value of pre)) + bias
    value = f(z) with f the stage's activation; max over the window for max pooling

`plan` attaches to each stage how its value is coded (λ, base, wait); without a plan the graph computes the ANN exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.activations import Activation
from loihi_onespike.core.codes import Code, SingleSpikeCode
from loihi_onespike.core.maps import LinearMap, Shape


@dataclass(frozen=True, eq=False)
class Link:
    """One linear contribution to a stage: scale · op(gather(value of pre)).

    Attributes:
        pre: name of the stage it reads.
        op: linear map with float weights.
        index: gather in front of the map, see `core.graphs.network.Synapse.index`.
        scale: factor per output place, broadcastable to the stage's shape (batch-norm gain, 1 / count of a pooling).
        macs: multiplications and additions of the ANN layer this link stands for, 0 for additions of a shortcut.
    """

    pre: str
    op: LinearMap
    index: NDArray[np.int32] | None
    scale: NDArray[np.float64]
    macs: int = 0


@dataclass(frozen=True, eq=False)
class WeightGrid:
    """What the weights onto a stage are whole multiples of, once they are rounded: 2 · unit · 2^exponent of the link.

    Attributes:
        unit: real value of v = 1 of each neuron, broadcastable to the stage's shape.
        exponents: per link.
    """

    unit: NDArray[np.float64]
    exponents: tuple[int, ...]


@dataclass(frozen=True)
class InputStage:
    """The input of the network."""

    name: str
    shape: Shape


@dataclass(frozen=True, eq=False)
class Stage:
    """A spiking population to be.

    Attributes:
        kind: label for reports: the activation's kind, linear, max_pool or average_pool.
        bias: broadcastable to shape.
        activation: f; relu where z is never negative anyway, so that an unsigned population carries it.
        axes_shared: axes of the shape over which one scale λ is shared (spatial axes, nodes).
        source: source line of the user's code.
        grid: of weights that are rounded already, None for those that are not.
    """

    name: str
    shape: Shape
    kind: str
    links: tuple[Link, ...]
    bias: NDArray[np.float64]
    activation: Activation
    axes_shared: tuple[int, ...]
    source: str = ""
    grid: WeightGrid | None = None

    @property
    def nonnegative(self) -> bool:
        """The value is never below zero: an unsigned population carries it."""
        return self.activation.nonnegative


@dataclass(frozen=True, eq=False)
class OutputStage:
    """The readout to be: z, rearranged by `order`, then `finish` on the host."""

    name: str
    shape: Shape
    links: tuple[Link, ...]
    bias: NDArray[np.float64]
    finish: str = "identity"
    order: NDArray[np.int32] | None = None
    source: str = ""
    grid: WeightGrid | None = None

    kind: str = field(default="readout", init=False)


AnyStage: TypeAlias = InputStage | Stage | OutputStage


@dataclass(frozen=True, eq=False)
class InputPlan:
    """Code of the input: x ↔ offset + scale · Σ levels (see `core.graphs.network.InputPopulation`)."""

    code: Code
    scale: NDArray[np.float64]
    offset: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class StagePlan:
    """Code of a stage's value: with a full wait, the spike comes at the first phase k with z ≥ threshold · table[k-1].

    Attributes:
        code: levels of its output.
        scale: λ, value of level 1, broadcastable to the stage's shape.
        wait: steps before the first decision, None for all input steps (full wait).
        threshold: factor per neuron, positive, broadcastable to the stage's shape.
        table: (T,) factor per phase, not increasing; infinite where a phase is out of the activation's reach.
        negative: the same for negative spikes, -z ≥ threshold · negative[k-1]; None for unsigned stages.
        offset: value of no spike, broadcastable to the stage's shape, see `network.Population`; z is then meant
            relative to it, as the bias has it folded in.
    """

    code: SingleSpikeCode
    scale: NDArray[np.float64]
    wait: int | None
    threshold: NDArray[np.float64]
    table: NDArray[np.float64]
    negative: NDArray[np.float64] | None
    offset: NDArray[np.float64] = field(default_factory=lambda: np.zeros(()))

    @classmethod
    def of(
        cls, activation: Activation, code: SingleSpikeCode, scale: NDArray[np.float64], wait: int | None
    ) -> StagePlan:
        """Thresholds of Eq. 4 seen through the activation: f(z) ≥ λ · thr_k.

        The factor per neuron is λ where the activation is homogeneous; else λ must be one number.

        Args:
            activation: activation of the stage.
            code: code of the spikes.
            scale: λ per neuron, or one number.
            wait: steps before the first decision; None for full wait.
        """
        relative = code.thresholds()
        if activation.homogeneous:
            # f(z) = z for z ≥ 0 up to an upper limit of clip, which λ · thr never exceeds since λ does not.
            return cls(code, scale, wait, scale, relative, activation.negative_thresholds(relative))
        values = relative * float(scale.max())
        positive, negative = activation.thresholds(values), activation.negative_thresholds(values)
        return cls(code, scale, wait, np.ones((1,) * scale.ndim), positive, negative)


@dataclass(frozen=True, eq=False)
class StageGraph:
    """Stages in topological order, input first, output last.

    Attributes:
        rewrites: what the conversion rewrote into what, for the report.
        input_plan: code of the input, None before calibration.
        plans: code per stage name, empty before calibration.
    """

    name: str
    stages: tuple[AnyStage, ...]
    rewrites: tuple[str, ...] = ()
    input_plan: InputPlan | None = None
    plans: Mapping[str, StagePlan] = field(default_factory=dict)

    @cached_property
    def by_name(self) -> Mapping[str, AnyStage]:
        """The stages by their names."""
        return {s.name: s for s in self.stages}

    @property
    def input(self) -> InputStage:
        """The input stage."""
        first = self.stages[0]
        assert isinstance(first, InputStage)
        return first

    @property
    def output(self) -> OutputStage:
        """The output stage."""
        last = self.stages[-1]
        assert isinstance(last, OutputStage)
        return last

    @property
    def hidden(self) -> Iterator[Stage]:
        """The spiking stages, in topological order."""
        return (s for s in self.stages if isinstance(s, Stage))

    def code_of(self, name: str) -> Code:
        """Code in which a planned stage, or the planned input, sends its value."""
        return self._plan_of(name).code

    def scale_of(self, name: str) -> NDArray[np.float64]:
        """λ of a planned stage or of the planned input, broadcastable to its shape."""
        return self._plan_of(name).scale

    def input_steps(self, stage: Stage | OutputStage) -> int:
        """Steps during which input of the stage arrives: the timesteps of the longest code that it reads."""
        return max(self.code_of(link.pre).timesteps for link in stage.links)

    def _plan_of(self, name: str) -> InputPlan | StagePlan:
        if name != self.input.name:
            return self.plans[name]
        assert self.input_plan is not None, "the input is planned before the stages"
        return self.input_plan
