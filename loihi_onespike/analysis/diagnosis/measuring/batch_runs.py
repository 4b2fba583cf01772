"""Runs of one batch with errors switched off; each starts at the first population that it changes."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.analysis.diagnosis.causes import ALL, OF_SUM, Cause
from loihi_onespike.analysis.diagnosis.model.build import NetworkModel
from loihi_onespike.analysis.diagnosis.model.input_model import InputModel
from loihi_onespike.analysis.diagnosis.model.layer_model import LayerModel, like
from loihi_onespike.analysis.diagnosis.model.sent_values import Decision, SentValues
from loihi_onespike.conversion.calibration.population import LEAST_ACTIVE, STEP
from loihi_onespike.core.encoding import finish_output
from loihi_onespike.core.graphs.network import Readout
from loihi_onespike.core.graphs.output_form import joined

ROUNDS = 8
"""Iterations that find the shift of a channel."""
SAMPLES = 1024
"""Values of a channel that the iterations use."""


def with_means(layer: LayerModel, decision: Decision, off: Collection[Cause], wanted: torch.Tensor) -> Decision:
    """Decision on pre-activations that are shifted, channel by channel, until the values have given means.

    The shift is found as in `conversion.calibration`, from a sample of every channel. Where the calibration leaves the
    mean to the code, as in factors of products, nothing is shifted.

    Args:
        layer: the population.
        decision: its decision before the shift.
        off: causes that are switched off, as in `LayerModel.sent`.
        wanted: values (B, *shape) whose means are to be met.

    Returns:
        The decision on the shifted pre-activations.
    """
    channels = layer.channels
    if layer.coder is None:
        shift = channels.mean(wanted) - channels.mean(decision.z)
        return replace(decision, z=decision.z + like(channels.per_channel(shift), wanted))
    if layer.coder.activation.relative:
        return decision
    places = channels.places(len(wanted), 0)
    places = tuple(i[:: max(len(i) // SAMPLES, 1)] for i in places)
    coder = layer.coder.of_samples(channels)

    def samples(values: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(channels.sample(values, places).T)).float()

    z, target = samples(decision.z), samples(wanted).mean(dim=0)
    if decision.noise is not None and Cause.NOISE not in off:
        target = target - samples(decision.noise).mean(dim=0)
    offset = like(coder.offset, z)
    shift_of = torch.zeros(channels.count)
    for _ in range(ROUNDS):
        moved = z + shift_of
        values = coder.value(coder.exact(moved), coder.words(moved, layer.waits_short), off)
        missing = target - values.mean(dim=0)
        if coder.activation.rectifies:  # a shift moves the values of active neurons only
            missing = missing / (moved + offset > 0).float().mean(dim=0).clamp(min=LEAST_ACTIVE)
        shift_of = shift_of + STEP * missing
    moved = decision.z + shift_of.reshape(channels.parameter_shape)
    whole = layer.on_whole(moved)
    return replace(decision, z=moved, on_whole=whole, words=whole if decision.noise is None else decision.words)


Causes = frozenset[Cause]
NONE: Causes = frozenset()


@dataclass(eq=False)
class SwitchedRuns:
    """The network on one batch, as it is and with errors switched.

    Attributes:
        layers: model of the network.
        source: model of its input.
        x: inputs (B, *shape).
        saturating: populations whose v reaches its limit on this batch.
        baseline: values that every population sends with all errors on; for the readout its pre-activation.
        exact: the same with all errors off, which are the values of the ANN.
    """

    layers: NetworkModel
    source: InputModel
    x: NDArray[np.floating]
    saturating: frozenset[str]
    baseline: dict[str, SentValues] = field(default_factory=dict)
    exact: dict[str, SentValues] = field(default_factory=dict)

    @torch.no_grad()
    def start(self) -> None:
        """Run with every error on and with every error off; all other runs start from these values."""
        self._follows_steps = any(self._stepwise(layer) for layer in self.layers.layers)
        self._decided: tuple[str, Decision] | None = None
        self.baseline[self.source.name] = self.source.sent(self.x, NONE)
        for layer in self.layers.layers:
            self.baseline[layer.name] = self._as_it_is(layer, self.baseline)
        self.exact[self.source.name] = self.source.sent(self.x, ALL)
        for layer in self.layers.layers:
            self.exact[layer.name] = self._exactly(layer, self.exact)

    @torch.no_grad()
    def decision(self, layer: LayerModel) -> Decision:
        """Decision of a layer with every error on; it is kept for one layer at a time."""
        if self._decided is None or self._decided[0] != layer.name:
            self._decided = layer.name, layer.decide(self.baseline, NONE, layer.name in self.saturating)
        return self._decided[1]

    @torch.no_grad()
    def output(self, off: Mapping[str, Causes]) -> NDArray[np.float64]:
        """Outputs (B, …) with the given causes of each population switched off."""
        changed: dict[str, SentValues] = {}
        values = ChainMap(changed, self.baseline)
        if off.get(self.source.name):
            changed[self.source.name] = self.source.sent(self.x, off[self.source.name])
        for layer in self.layers.layers:
            causes, reads_changed = off.get(layer.name, NONE), any(pre in changed for pre in layer.pres)
            if not causes and not reads_changed:
                continue
            if not causes:
                changed[layer.name] = self._as_it_is(layer, values)
                continue
            if reads_changed or causes & OF_SUM:
                decision = layer.decide(values, causes, layer.name in self.saturating)
            else:
                decision = self.decision(layer)
            if self.layers.corrected:  # corrected biases keep the means of the channels
                decision = with_means(layer, decision, causes, self.baseline[layer.name].values)
            changed[layer.name] = layer.sent(decision, causes)
        return self._finished(values)

    @torch.no_grad()
    def alone(self, on: Mapping[str, Causes]) -> NDArray[np.float64]:
        """Outputs (B, …) of the ANN with only the given causes of each population switched on."""
        changed: dict[str, SentValues] = {}
        values = ChainMap(changed, self.exact)
        if on.get(self.source.name):
            changed[self.source.name] = self.source.sent(self.x, ALL - on[self.source.name])
        for layer in self.layers.layers:
            causes, reads_changed = on.get(layer.name, NONE), any(pre in changed for pre in layer.pres)
            if not causes and not reads_changed:
                continue
            if not causes:
                changed[layer.name] = self._exactly(layer, values)
                continue
            off = ALL - causes
            decision = layer.decide(values, off, layer.name in self.saturating, corrected=False)
            if self.layers.corrected:
                decision = with_means(layer, decision, off, self.exact[layer.name].values)
            changed[layer.name] = layer.sent(decision, off)
        return self._finished(values)

    def exact_output(self) -> NDArray[np.float64]:
        """Outputs (B, …) with every error off and without corrections: those of the ANN."""
        return self._finished(self.exact)

    def baseline_output(self) -> NDArray[np.float64]:
        """Outputs (B, …) with every error on: those of the network."""
        return self._finished(self.baseline)

    def _stepwise(self, layer: LayerModel) -> bool:
        return layer.waits_short or layer.name in self.saturating

    def _as_it_is(self, layer: LayerModel, values: Mapping[str, SentValues]) -> SentValues:
        if not self._follows_steps:
            return layer.quick(values)
        return layer.sent(layer.decide(values, NONE, layer.name in self.saturating), NONE)

    def _exactly(self, layer: LayerModel, values: Mapping[str, SentValues]) -> SentValues:
        return layer.exactly(values, self._follows_steps)

    def _finished(self, values: Mapping[str, SentValues]) -> NDArray[np.float64]:
        readouts = ((y.name, y.population) for y in self.layers.layers)
        return joined(
            [
                finish_output(values[name].values.double().numpy(), population.order, population.finish)
                for name, population in readouts
                if isinstance(population, Readout)
            ]
        )
