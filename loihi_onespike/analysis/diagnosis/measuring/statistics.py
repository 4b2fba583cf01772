"""Counted figures of a population: shares of values, phases and noise spikes, and the width of v."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.analysis.diagnosis.model.layer_model import LayerModel
from loihi_onespike.analysis.diagnosis.model.sent_values import Decision
from loihi_onespike.core.codes import V_BITS, signed_bits
from loihi_onespike.core.graphs.network import Population
from loihi_onespike.core.trace import LayerTrace

SAMPLES_PER_BATCH = 8192
MOST_SAMPLES = 65536


@dataclass(frozen=True)
class LayerStatistics:
    """Shares of a population's values over all samples, each in [0, 1].

    Attributes:
        active: values that differ from the value of no spike in exact arithmetic.
        underflow, clipped: of the active values, those below the last threshold and those above the first level.
        phases: (T + 1,) shares of no spike and of every phase; empty for the readout.
        early, late: spikes of a larger or of a smaller level than a decision on the whole input would send: at an
            earlier or a later phase, or with payload at the same phase with another message.
        false, missing: spikes where that decision sends none, and none where it sends one.
        v_bits: width of the largest |v| in the integer network, sign included.
        pinned: number of values whose v ended at its limit.
        given_up_bits: bits by which the precision of the layer's weights was reduced so that v fits.
    """

    active: float
    underflow: float
    clipped: float
    phases: tuple[float, ...]
    early: float
    late: float
    false: float
    missing: float
    v_bits: int
    pinned: int
    given_up_bits: int

    @property
    def noise(self) -> float:
        """Share of the values that differ from the decision on the whole input."""
        return self.early + self.late + self.false + self.missing

    def to_dict(self) -> dict[str, object]:
        """JSON-like values by attribute."""
        return {**asdict(self), "phases": list(self.phases)}


@dataclass
class Tally:
    """Sums that the statistics of one population come from.

    Attributes:
        layer: the population.
        given_up_bits: bits by which the precision of its weights was reduced.
        neurons: values counted, one per neuron and sample.
        active: values that differ from the value of no spike.
        counts: number of values by kind (underflow, clipped, early, late, false, missing).
        histogram: (T + 1,) number of values by phase.
        peak: largest |v| of the integer network.
        pinned: values whose v ended at its limit.
        samples: |value| in units of λ of some active values, one array per batch.
    """

    layer: LayerModel
    given_up_bits: int = 0
    neurons: int = 0
    active: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    histogram: NDArray[np.int64] | None = None
    peak: int = 0
    pinned: int = 0
    samples: list[NDArray[np.float64]] = field(default_factory=list)

    def add(self, decision: Decision, trace: LayerTrace) -> None:
        """Add one batch: the decision of the baseline and the trace of the integer network."""
        self.peak = max(self.peak, trace.peak)
        self.pinned += decision.pinned
        self.neurons += decision.z.numel()
        words, whole, coder = decision.words, decision.on_whole, self.layer.coder
        if trace.words is not None:
            assert isinstance(self.layer.population, Population)
            code = self.layer.population.code
            found = np.bincount(code.phase_of(trace.words).ravel(), minlength=code.timesteps + 1)
            self.histogram = found if self.histogram is None else self.histogram + found
        if coder is None or words is None or whole is None:
            return
        exact = coder.exact(decision.z)
        alive = exact != 0
        self.active += int(alive.sum())
        self._count("underflow", (whole == 0) & alive)
        self._count("clipped", coder.clipped(exact, whole))
        if words is not whole:
            sent, due = words != 0, whole != 0
            self._count("early", sent & due & (words.abs() < whole.abs()))
            self._count("late", sent & due & (words.abs() > whole.abs()))
            self._count("false", sent & (~due | (words == -whole)))
            self._count("missing", ~sent & due)
        self._sample(exact)

    def _count(self, name: str, where: torch.Tensor) -> None:
        self.counts[name] = self.counts.get(name, 0) + int(where.sum())

    def _sample(self, exact: torch.Tensor) -> None:
        assert self.layer.coder is not None
        if sum(map(len, self.samples)) >= MOST_SAMPLES:
            return
        scale = np.broadcast_to(self.layer.coder.scale, exact.shape[1:]).reshape(1, -1)
        flat = exact.numpy().reshape(len(exact), -1)
        # odd, so that the samples are not all at even positions of an axis
        stride = max(flat.size // SAMPLES_PER_BATCH, 1) | 1
        relative = np.abs(flat / scale).ravel()[::stride]
        self.samples.append(relative[relative > 0])

    @property
    def statistics(self) -> LayerStatistics:
        """Statistics of all batches so far."""

        def share(name: str, of: int) -> float:
            return self.counts.get(name, 0) / max(of, 1)

        total = 0 if self.histogram is None else int(self.histogram.sum())
        phases = () if self.histogram is None else tuple(float(n) / max(total, 1) for n in self.histogram)
        noise = {name: share(name, self.neurons) for name in ("early", "late", "false", "missing")}
        return LayerStatistics(
            self.active / max(self.neurons, 1),
            share("underflow", self.active),
            share("clipped", self.active),
            phases,
            **noise,
            v_bits=min(signed_bits(self.peak), V_BITS),  # the magnitude of the lowest v needs one bit more
            pinned=self.pinned,
            given_up_bits=self.given_up_bits,
        )
