"""A model with its data, and the measurements that the tables consist of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

import loihi_onespike as los
from benchmarks.paper_tables.table import Cell
from loihi_onespike.api import ann_output
from loihi_onespike.conversion.calibration import Method
from loihi_onespike.conversion.codes_of_options import hidden_code, levels_are_fitted
from loihi_onespike.conversion.options import ConversionOptions
from loihi_onespike.conversion.pipeline import plan_float
from loihi_onespike.core.graphs.stage import InputStage, StageGraph
from loihi_onespike.data import Dataset
from loihi_onespike.data.batches import calibration_batches
from loihi_onespike.evaluation import Accuracy, Evaluation
from loihi_onespike.evaluation.alpha import FP32, ArithmeticEnergy
from loihi_onespike.executors.float.float_executor import FloatExecutor

BATCH = 100
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class FloatResult:
    """Figures with float weights and full wait, the arithmetic of Tables I to V of the paper.

    Attributes:
        accuracy: accuracy of the one-spike network.
        agreement: share of images with the class that the ANN chooses.
        alpha: α of Eq. 6 for FP32; None where spikes were not counted.
        spikes_per_neuron: spikes per hidden neuron and image; None where spikes were not counted.
    """

    accuracy: Accuracy
    agreement: Accuracy
    alpha: float | None
    spikes_per_neuron: float | None


@dataclass(frozen=True, eq=False)
class Experiment:
    """A trained network with the images that it is measured on and calibrated with.

    Attributes:
        name: name of the model.
        model: the trained network.
        data: evaluated images and labels, and calibration images, separate ones where the source has two parts.
        seed: seed of the choice of calibration images.
        progress: called as progress(label, done, of) after every batch.
    """

    name: str
    model: nn.Module
    data: Dataset
    seed: int = 0
    progress: Progress = lambda what, done, of: None

    @cached_property
    def ann_classes(self) -> NDArray[np.int64]:
        """(N,) classes that the ANN chooses."""
        return np.concatenate([ann_output(self.model, self.data.images[s]).argmax(1) for s in self._slices("ANN")])

    @property
    def ann_accuracy(self) -> Accuracy:
        """Accuracy of the ANN on all images."""
        return Accuracy(int((self.ann_classes == self.data.labels).sum()), len(self.data))

    def loss_pp(self, accuracy: Accuracy) -> float:
        """Accuracy of the ANN minus that of the SNN on the same images, in percentage points."""
        return 100 * (self.ann_accuracy.value - accuracy.value)

    @property
    def facts(self) -> dict[str, Cell]:
        """Facts for the foot of a table."""
        apart = "apart from them" if self.data.calibration_is_separate else "drawn from the same part of the data"
        return {
            "model": self.name,
            "data": self.data.name,
            "ANN": self.ann_accuracy,
            "images": len(self.data),
            "calibration images": f"{len(self.data.calibration)}, {apart}",
            "seed": self.seed,
        }

    def planned(self, options: ConversionOptions) -> StageGraph:
        """Stages of the one-spike network in real numbers."""
        return plan_float(self.model, calibration_batches(self.data.calibration), options)

    def float_result(self, options: ConversionOptions, count_spikes: bool = True) -> FloatResult:
        """Convert in real numbers and run all images; without `count_spikes`, spikes and α are None."""
        stages = self.planned(options)
        run = FloatExecutor(stages)
        spikes = {s.name: 0.0 for s in stages.stages}
        chosen = []
        for part in self._slices(_label(options)):
            images = self.data.images[part]
            if not count_spikes:
                chosen.append(run.run(images).argmax(1))
                continue
            trace = run.trace(images)
            chosen.append(trace.output.argmax(1))
            for name, layer in trace.layers.items():
                if layer.words is not None:
                    spikes[name] += _sent(stages, name, layer.words)
        classes = np.concatenate(chosen)
        right, agreed = int((classes == self.data.labels).sum()), int((classes == self.ann_classes).sum())
        rates = {s.name: spikes[s.name] / (int(np.prod(s.shape)) * len(self.data)) for s in stages.stages}
        neurons = sum(int(np.prod(s.shape)) for s in stages.hidden)
        hidden = sum(spikes[s.name] for s in stages.hidden) / (neurons * len(self.data))
        return FloatResult(
            Accuracy(right, len(self.data)),
            Accuracy(agreed, len(self.data)),
            stage_efficiency(stages, rates) if count_spikes else None,
            hidden if count_spikes else None,
        )

    def integer_result(self, options: ConversionOptions) -> Evaluation:
        """Convert to INT8 weights and run all images in integer arithmetic, also with a wait below T."""
        label = _label(options) + " INT8"
        net = los.convert(self.model, self.data.calibration, **vars(options))
        return net.evaluate(
            self.data.images,
            self.data.labels,
            progress=lambda done, of: self.progress(label, done, of),
        )

    def _slices(self, label: str) -> list[slice]:
        total = len(self.data)
        return _Reported([slice(i, min(i + BATCH, total)) for i in range(0, total, BATCH)], label, self.progress)


class _Reported(list[slice]):
    """Slices that report progress during iteration."""

    def __init__(self, slices: list[slice], label: str, progress: Progress) -> None:
        super().__init__(slices)
        self._label, self._progress = label, progress

    def __iter__(self):  # type: ignore[no-untyped-def]
        for i, part in enumerate(list.__iter__(self)):
            yield part
            self._progress(self._label, i + 1, len(self))


def paper(timesteps: int, base: float, **more: Any) -> ConversionOptions:
    """Options of the paper's method.

    Args:
        timesteps: T.
        base: Q.
        more: further options.
    """
    return replace(ConversionOptions(timesteps=timesteps, base=base, method=Method.paper()), **more)


def default(timesteps: int, **more: Any) -> ConversionOptions:
    """Options of the default method of this toolkit, whose levels are fitted, for a number of timesteps."""
    return replace(ConversionOptions(timesteps=timesteps), **more)


def method_name(options: ConversionOptions) -> str:
    """Name of the method: "calibrated" or "paper"."""
    return "calibrated" if options.parts.sequential else "paper"


def base_text(options: ConversionOptions) -> str:
    """Base as text; "fitted" for fitted levels."""
    return "fitted" if levels_are_fitted(options) else str(hidden_code(options).base)


def _label(options: ConversionOptions) -> str:
    return f"{method_name(options)} T={options.timesteps} Q={base_text(options)}"


def _sent(stages: StageGraph, name: str, words: NDArray[np.integer]) -> float:
    """Number of spikes of a batch; the input may send several per neuron."""
    plan = stages.input_plan
    if name == stages.input.name and plan is not None:
        return float(plan.code.count_spikes(words).sum(dtype=np.int64))
    return float(np.count_nonzero(words))


def stage_efficiency(
    stages: StageGraph, spikes_per_neuron: Mapping[str, float], energy: ArithmeticEnergy = FP32
) -> float:
    """α = E_MAC Σ_l OP_ANN^l / (E_add Σ_l SpikeRate_l · OP_ANN^l) (Eq. 6) of a network in real numbers.

    Args:
        stages: the network.
        spikes_per_neuron: spike rate by population.
        energy: energy of a multiplication and of an addition.
    """
    links = [k for s in stages.stages if not isinstance(s, InputStage) for k in s.links]
    added = sum(k.macs * spikes_per_neuron[k.pre] for k in links)
    return float("inf") if added == 0 else energy.mac_pj * sum(k.macs for k in links) / (energy.add_pj * added)
