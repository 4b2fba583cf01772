"""The network as stages in real numbers: the neurons of each future population and what they sum.

This graph is between the ANN and the integer network. A stage becomes a population; its values are in the units of the
ANN:

    z = Σ_links scale · op(gather(value of pre)) + bias
    value = f(z), with the activation f of the stage; for max pooling the maximum over the window

In a product stage two such sums u and w are multiplied, each over the links of its factor and with a bias of its own:

    z = (Σ_links of factor 0 … + factor_biases[0]) · (Σ_links of factor 1 … + factor_biases[1]) + bias

A plan (`StagePlan`, `InputPlan`) says how the value of a stage is coded in spikes: levels, λ, thresholds and wait.
Without plans the graph computes the ANN exactly. Shapes are those of one sample, without the batch axis.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.activations import IDENTITY, Activation
from loihi_onespike.core.codes import Code, SingleSpikeCode
from loihi_onespike.core.maps import LinearMap, Shape


@dataclass(frozen=True, eq=False)
class Link:
    """One linear contribution to a stage: scale · op(gather(value of pre)).

    Attributes:
        pre: name of the stage that it reads.
        op: linear map with float weights.
        index: gather in front of the map, see `core.graphs.network.Synapse.index`; None for none.
        scale: factor per output, broadcastable to the stage's shape (batch-norm gain, 1 / size of a pooling window).
        macs: multiply-accumulates of the ANN layer that this link computes; 0 for the additions of a shortcut.
        factor: 0, or 1 for a link of the second factor of a product stage.
    """

    pre: str
    op: LinearMap
    index: NDArray[np.int32] | None
    scale: NDArray[np.float64]
    macs: int = 0
    factor: int = 0


@dataclass(frozen=True, eq=False)
class WeightGrid:
    """Grid of the rounded weights of a stage: they are whole multiples of 2 · unit · 2^(exponent of the link).

    Attributes:
        unit: real value of v = 1 of each neuron, broadcastable to the stage's shape.
        exponents: weight exponent of each link.
    """

    unit: NDArray[np.float64]
    exponents: tuple[int, ...]


@dataclass(frozen=True)
class InputStage:
    """The input of the network.

    Attributes:
        name: name of the input.
        shape: shape of one sample.
    """

    name: str
    shape: Shape


@dataclass(frozen=True, eq=False)
class Stage:
    """A stage that becomes a spiking population.

    Attributes:
        name: unique name.
        shape: shape of its value for one sample.
        kind: label for reports: name of the activation, linear, max_pool, average_pool or product.
        links: linear contributions to z.
        bias: broadcastable to the shape; in a product stage it is added to the product.
        activation: f; ReLU for a linear value that is never negative, so that the population needs no negative spikes.
        axes_shared: axes of the shape over which one scale λ is shared (spatial axes, nodes).
        source: source line of the user's code, for messages; empty when unknown.
        grid: grid of weights that are rounded already; None for weights that are not.
        factor_biases: bias of each factor of a product stage, broadcastable to the shape; None for a stage that is no
            product.
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
    factor_biases: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None

    @property
    def is_product(self) -> bool:
        """Whether z is the product of two sums."""
        return self.factor_biases is not None

    @property
    def sums(self) -> tuple[Stage, ...]:
        """The sums that z is made of, as stages: the factors of a product, or the stage itself."""
        if self.factor_biases is None:
            return (self,)
        return tuple(
            replace(
                self,
                kind="linear",
                links=tuple(replace(link, factor=0) for link in self.links if link.factor == i),
                bias=bias,
                activation=IDENTITY,
                grid=None,
                factor_biases=None,
            )
            for i, bias in enumerate(self.factor_biases)
        )

    @property
    def nonnegative(self) -> bool:
        """Whether the value is never below zero, so that the population needs no negative spikes."""
        return self.activation.nonnegative


@dataclass(frozen=True, eq=False)
class OutputStage:
    """The stage that becomes the readout: output = finish(z rearranged by `order`).

    Attributes:
        name: unique name.
        shape: shape of z for one sample.
        links: linear contributions to z.
        bias: broadcastable to the shape.
        finish, order: function and rearrangement by the host, see `core.graphs.network.Readout`.
        source: source line of the user's code, for messages; empty when unknown.
        grid: as of `Stage`.
    """

    name: str
    shape: Shape
    links: tuple[Link, ...]
    bias: NDArray[np.float64]
    finish: str = "identity"
    order: NDArray[np.int32] | None = None
    source: str = ""
    grid: WeightGrid | None = None

    kind: str = field(default="readout", init=False)

    @property
    def is_product(self) -> bool:
        """False."""
        return False

    @property
    def sums(self) -> tuple[OutputStage]:
        """The stage itself, see `Stage.sums`."""
        return (self,)


AnyStage: TypeAlias = InputStage | Stage | OutputStage


@dataclass(frozen=True, eq=False)
class InputPlan:
    """Code of the input: x ≈ offset + scale · Σ levels.

    Attributes:
        code: code of the input.
        scale, offset, dithered: as of `core.graphs.network.InputPopulation`.
    """

    code: Code
    scale: NDArray[np.float64]
    offset: NDArray[np.float64]
    dithered: bool = False


@dataclass(frozen=True, eq=False)
class StagePlan:
    """Code of a stage's value: with a full wait, the spike has the first word w with z ≥ threshold · table[w-1].

    Without payload a word is a phase, and L = T.

    Attributes:
        code: levels of its output.
        scale: λ, the value of level 1 in the units of the ANN, broadcastable to the stage's shape.
        wait: steps before the first decision; None for all input steps (full wait).
        threshold: positive factor per neuron, broadcastable to the stage's shape.
        table: (L,) factor per word, not increasing; infinite for a word whose value the activation never reaches.
        negative: (L,) the same for negative spikes, -z ≥ threshold · negative[w-1]; None for unsigned stages.
        offset: value of no spike, broadcastable to the stage's shape, see `core.graphs.network.Population`; the bias of
            the stage includes -offset, so that z is relative to it.
        far: (L,) far end of negative spikes of an activation with a dip, -z ≤ threshold · far[w-1]; not decreasing;
            None where there is no far end.
        one_sided: neurons of a stage with negative spikes that send none, broadcastable to the stage's shape; None
            where all may.
    """

    code: SingleSpikeCode
    scale: NDArray[np.float64]
    wait: int | None
    threshold: NDArray[np.float64]
    table: NDArray[np.float64]
    negative: NDArray[np.float64] | None
    offset: NDArray[np.float64] = field(default_factory=lambda: np.zeros(()))
    far: NDArray[np.float64] | None = None
    one_sided: NDArray[np.bool_] | None = None

    @classmethod
    def of(
        cls,
        activation: Activation,
        code: SingleSpikeCode,
        scale: NDArray[np.float64],
        wait: int | None,
        thresholds: NDArray[np.float64] | None = None,
    ) -> StagePlan:
        """Plan with the thresholds of Eq. 4, applied to the value of the activation: f(z) ≥ λ · thr_k.

        The factor per neuron is λ^(1/p) for an activation of degree p, λ itself for a homogeneous one; without a degree
        λ must be one number.

        Args:
            activation: activation of the stage.
            code: code of the spikes.
            scale: λ per neuron, or one number.
            wait: steps before the first decision; None for full wait.
            thresholds: (L,) in units of λ; None for those of the code.
        """
        relative = code.thresholds() if thresholds is None else thresholds
        if activation.homogeneous:
            # f(z) = z from 0 up to the upper limit of a clip, and λ · thr is at most this limit since λ is.
            return cls(code, scale, wait, scale, relative, activation.negative_thresholds(relative))
        if activation.degree is not None:
            table, negative = activation.thresholds(relative), activation.negative_thresholds(relative)
            return cls(code, scale, wait, scale ** (1 / activation.degree), table, negative)
        values = relative * float(scale.max())
        positive, negative = activation.thresholds(values), activation.negative_thresholds(values)
        far = activation.far_thresholds(values)
        return cls(code, scale, wait, np.ones((1,) * scale.ndim), positive, negative, far=far)


@dataclass(frozen=True, eq=False)
class StageGraph:
    """The network as stages in topological order; the rules are those of `verify_stage`.

    Attributes:
        name: name of the network.
        stages: input first, the outputs last.
        rewrites: a line per rewrite of front end and conversion, for the report.
        input_plan: code of the input; None before it is planned.
        plans: code of every hidden stage by name; empty before calibration.
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
        """The output stage, in a graph with one."""
        (only,) = self.outputs
        return only

    @property
    def outputs(self) -> tuple[OutputStage, ...]:
        """The output stages, in the order of the stages."""
        return tuple(s for s in self.stages if isinstance(s, OutputStage))

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
