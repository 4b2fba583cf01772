"""Model of one population: the integers in real numbers, with every error switchable."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.analysis.diagnosis.causes import OF_CODE, OF_SUM, Cause
from loihi_onespike.analysis.diagnosis.model.coder import PopulationCoder
from loihi_onespike.analysis.diagnosis.model.sent_values import Decision, SentValues
from loihi_onespike.analysis.diagnosis.model.weights import LayerWeights
from loihi_onespike.conversion.calibration.channels import Channels
from loihi_onespike.core.codes import V_MAX, V_MIN
from loihi_onespike.core.graphs.network import Population, Readout
from loihi_onespike.executors.float.quantizer import Quantizer
from loihi_onespike.executors.tensors.stage_sum import StageSum

Values = Mapping[str, SentValues]


@dataclass(frozen=True, eq=False)
class LayerModel:
    """Model of a population other than the input.

    Attributes:
        population: the population of the integer network.
        kind: its kind, for reports.
        pres: names of the populations that it reads, without relays.
        weights: its linear part; None for max pooling, which has no errors of its own.
        pool: maximum over the window; None except for max pooling.
        coder: its code; None for max pooling and the readout.
        channels: positions that share a bias.
        unit: real value of v = 1, broadcastable to a batch.
        gains: (steps + 1,) gain of v after every input step.
        quantizer: maps pre-activations in units of the threshold to levels, for a full wait; None without a coder.
    """

    population: Population | Readout
    kind: str
    pres: tuple[str, ...]
    weights: LayerWeights | None
    pool: StageSum | None
    coder: PopulationCoder | None
    channels: Channels
    unit: torch.Tensor
    gains: NDArray[np.float64]
    quantizer: Quantizer | None

    @property
    def name(self) -> str:
        """Name of the population."""
        return self.population.name

    @property
    def steps(self) -> int:
        """Length of its input in steps."""
        return len(self.gains) - 1

    def causes(self, decision: Decision, saturating: bool) -> tuple[Cause, ...]:
        """Errors that the population makes on a batch.

        Args:
            decision: its decision with every error on.
            saturating: True where v reaches its limit in this batch.
        """
        found = []
        if self.coder is not None and decision.on_whole is not None:
            exact = self.coder.exact(decision.z)
            silent, clipped = (decision.on_whole == 0) & (exact != 0), self.coder.clipped(exact, decision.on_whole)
            found += [Cause.UNDERFLOW] if bool(silent.any()) else []
            found += [Cause.CLIPPING] if bool(clipped.any()) else []
            found.append(Cause.ROUNDING)
        found += [Cause.NOISE] if decision.noise is not None else []
        if self.weights is not None:
            found.append(Cause.WEIGHTS)
            found += [Cause.HEADROOM] if saturating or self.weights.rounded is not None else []
        return tuple(found)

    @property
    def _timesteps(self) -> int:
        return 0 if self.coder is None else self.coder.code.timesteps

    @property
    def waits_short(self) -> bool:
        """True where neurons decide before the whole input has arrived."""
        return self.coder is not None and self.population.wait + 1 < self.steps

    def quick(self, values: Values) -> SentValues:
        """Values sent with a full wait and every error on, without phases; faster than `decide` and `sent`."""
        if self.pool is not None or self.quantizer is None or self.coder is None:
            return self.sent(self.decide(values, (), False), ())
        z = self._sum(values, (), 1, self.steps).add_(self._bias((), True))
        levels = self.coder.without_negative(self.quantizer(z.div_(like(self.coder.thresholds.factor, z))))
        return SentValues(levels.mul_(like(self.coder.scale, z)), None, self.coder.code.timesteps)

    def decide(
        self, values: Values, off: Collection[Cause], saturating: bool, corrected: bool = True, wait: int | None = None
    ) -> Decision:
        """Pre-activations and code words of a batch.

        Args:
            values: values that the populations before it send, by name.
            off: causes that are switched off; only NOISE, WEIGHTS and HEADROOM have an effect.
            saturating: True where v reaches its limit in this batch.
            corrected: use the biases as the calibration corrected them.
            wait: wait to use instead of the population's own.
        """
        if self.pool is not None:
            return Decision(self.pool({pre: values[pre].values for pre in self.pres}), self._first(values), None)
        pins = saturating and Cause.HEADROOM not in off
        wait = self.population.wait if wait is None else wait
        partial = self.coder is not None and wait + 1 < self.steps and Cause.NOISE not in off
        if not pins and not partial:
            z = self._sum(values, off, 1, self.steps).add_(self._bias(off, corrected))
            words = None if self.coder is None else self.on_whole(z)
            return Decision(z, words, words)
        z = self._bias(off, corrected)
        words, first = None, 1
        # Partial sums of a product do not add up; it decides on the whole input, and is limited then.
        stepwise = pins and self.kind != "product"
        for last in range(1 if stepwise else min(wait + 1, self.steps), self.steps + 1):
            z = z + self._sum(values, off, first, last)
            first = last + 1
            if pins:
                z = self._pinned(z, last)
            if partial and wait < last <= wait + self._timesteps:
                words = self._fired(words, z, last - wait)
        if self.coder is None:
            return Decision(z, None, None, None, self._at_limit(z))
        if partial:
            for k in range(max(self.steps - wait + 1, 1), self._timesteps + 1):
                words = self._fired(words, z, k)
        on_whole, pinned = self.on_whole(z), self._at_limit(z) if pins else 0
        if words is None:
            return Decision(z, on_whole, on_whole, None, pinned)
        return Decision(z, words, on_whole, self.coder.coded(words) - self.coder.coded(on_whole), pinned)

    def sent(self, decision: Decision, off: Collection[Cause]) -> SentValues:
        """Values that are sent for a decision; of `off` only NOISE and the causes of the code have an effect."""
        if self.coder is None:
            steps = 0 if isinstance(self.population, Readout) else self.population.timesteps
            return SentValues(decision.z, decision.words, steps)
        assert decision.words is not None and decision.on_whole is not None
        with_noise = decision.noise is not None and Cause.NOISE not in off
        words = decision.words if with_noise else decision.on_whole
        if not OF_CODE.intersection(off):
            return SentValues(self.coder.coded(words), self.coder.phases(words), self._timesteps)
        values = self.coder.value(self.coder.exact(decision.z), decision.on_whole, off)
        if decision.noise is not None and with_noise:  # the error of a noise spike is added
            values = values.add_(decision.noise)
        return SentValues(values, self.coder.phases(words), self._timesteps)

    def on_whole(self, z: torch.Tensor) -> torch.Tensor:
        """Code words that are decided on pre-activations of the whole input."""
        assert self.coder is not None
        return self.coder.words(z, nominal=self.waits_short)

    def exactly(self, values: Values, with_phases: bool) -> SentValues:
        """Exact values f(z) with weights and biases of the ANN; `with_phases` adds the phases that would send them."""
        if self.pool is not None:
            return self.sent(self.decide(values, (), False), ())
        z = self._sum(values, OF_SUM, 1, self.steps).add_(self._bias((), False))
        if self.coder is None:
            return SentValues(z, None, 0)
        phases = self.coder.phases(self.on_whole(z)) if with_phases else None
        return SentValues(self.coder.exact(z), phases, self._timesteps)

    def _sum(self, values: Values, off: Collection[Cause], first: int, last: int) -> torch.Tensor:
        assert self.weights is not None
        arriving = {pre: values[pre].between(first, last) for pre in self.pres}
        total: torch.Tensor | None = None
        for factor, add in self.weights.sums(off):
            part = add(arriving)
            if total is None:
                total = part
            else:
                total = total.add_(part, alpha=factor)
        assert total is not None
        return total

    def _bias(self, off: Collection[Cause], corrected: bool) -> torch.Tensor:
        assert self.weights is not None
        return self.weights.bias(off, corrected)

    def _fired(self, words: torch.Tensor | None, z: torch.Tensor, k: int) -> torch.Tensor:
        """Code words after output phase k has been decided."""
        assert self.coder is not None
        by, of_phase = self.coder.thresholds, self.coder.code.words_per_phase
        if words is None:
            words = torch.zeros_like(z, dtype=torch.int16)
        factor = like(by.factor, z)
        of_k = range((k - 1) * of_phase + 1, k * of_phase + 1)
        for w in of_k:
            words = words.masked_fill((words == 0) & (z >= factor * by.up[w - 1]), w)
        if by.down is not None:
            two_sided = True if self.coder.one_sided is None else ~torch.tensor(self.coder.one_sided)
            for w in of_k:
                words = words.masked_fill((words == 0) & two_sided & (-z >= factor * by.down[w - 1]), -w)
        return words

    def _first(self, values: Values) -> torch.Tensor | None:
        """Phase of the first spike in the pooling window; None where the inputs have no phases."""
        assert self.pool is not None
        early: dict[str, torch.Tensor] = {}
        for pre in self.pres:
            phases, steps = values[pre].phases, values[pre].steps
            if phases is None:
                return None
            early[pre] = torch.where(phases > 0, steps + 1 - phases, 0).float()
        earliest = self.pool(early).to(torch.int16)
        return torch.where(earliest > 0, values[self.pres[0]].steps + 1 - earliest, 0)

    def _pinned(self, z: torch.Tensor, step: int) -> torch.Tensor:
        gain = float(self.gains[step])
        return torch.minimum(torch.maximum(z, V_MIN * self.unit / gain), V_MAX * self.unit / gain)

    def _at_limit(self, z: torch.Tensor) -> int:
        v = z * float(self.gains[-1]) / self.unit
        return int(((v >= V_MAX * (1 - 1e-6)) | (v <= V_MIN * (1 - 1e-6))).sum())


def like(values: NDArray[np.float64], z: torch.Tensor) -> torch.Tensor:
    """Parameters as a tensor with the type of z."""
    return torch.tensor(values).to(z.dtype)
