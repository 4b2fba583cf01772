"""`diagnose`: measures how much every error of every population adds to the error of the output."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path
from typing import Literal

import numba
import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from loihi_onespike.analysis.diagnosis.causes import Cause
from loihi_onespike.analysis.diagnosis.measuring.batch_runs import Causes, SwitchedRuns
from loihi_onespike.analysis.diagnosis.measuring.output_error import ErrorSum
from loihi_onespike.analysis.diagnosis.measuring.statistics import Tally
from loihi_onespike.analysis.diagnosis.model.build import NetworkModel, RecordedBits, ann_stages, build_layers
from loihi_onespike.analysis.diagnosis.model.input_model import InputModel
from loihi_onespike.analysis.diagnosis.report.diagnosis_report import Diagnosis, LayerDiagnosis, Loss
from loihi_onespike.analysis.diagnosis.report.remedies import layer_sentence, network_sentence
from loihi_onespike.api import OneSpikeNetwork, prices_of
from loihi_onespike.boards.specification.spec import Board
from loihi_onespike.core.codes import V_MAX
from loihi_onespike.core.graphs.output_form import split
from loihi_onespike.core.operation_prices import OperationPrices
from loihi_onespike.data.checks import check_progress, class_labels
from loihi_onespike.errors import ConfigurationError, InputRangeWarning
from loihi_onespike.evaluation.evaluator import classes_of
from loihi_onespike.evaluation.input_tally import InputTally
from loihi_onespike.evaluation.population_cost import population_costs
from loihi_onespike.evaluation.spike_counter import SpikeCounter
from loihi_onespike.frontend import ModelSource, as_module
from loihi_onespike.frontend.ann_output import ann_output
from loihi_onespike.frontend.importers.joined_inputs import with_parts

BATCH = 32
BUDGET_BYTES = 2**29
"""Memory for the values of one batch in bytes; the batch is made smaller where it would take more."""

Key = tuple[str | None, Cause | None]
"""Population and cause that are switched; None means all populations or all causes."""
Progress = Callable[[int, int], None]
Output = NDArray[np.float64]


def diagnose(
    net: OneSpikeNetwork,
    x: ArrayLike | torch.Tensor,
    y: ArrayLike | torch.Tensor | None = None,
    model: ModelSource | None = None,
    progress: Progress | None = None,
    measure: Literal["relative", "kl"] = "relative",
    board: str | Path | Board | None = None,
) -> Diagnosis:
    """Measure the loss of accuracy by population and cause, switching one error at a time.

        loss(population, cause)  = error(network) - error(network with the cause off at that population)
        alone(population, cause) = error(ANN with that cause on at that population and nothing else)

    An interruption (Ctrl-C) ends the diagnosis; the report then covers the batches that were finished. Without a
    finished batch, the interruption is passed on.

    Args:
        net: a converted or loaded network.
        x: inputs (N, …) as the ANN takes them. They should not be those of the calibration.
        y: labels (N,), for the accuracies in the report.
        model: the ANN; by default the one that was converted.
        progress: called as progress(finished runs, all runs).
        measure: unit of the losses: "relative" for the squared relative error of the output, which is additive over
            independent errors, or "kl" for the divergence of the class probabilities.
        board: a board, its name or its file; the costs of the populations then include their energy at its prices.

    Returns:
        The losses, the statistics and a remedy per population.

    Raises:
        ConfigurationError: the ANN is missing or is not the one that the network was converted from, there is no
            sample, inputs or labels cannot be used as `OneSpikeNetwork.evaluate` says, or the network is a graph
            network.
        BoardError: there is no such board, or its file has problems.
    """
    check_progress(progress)
    module = _checked(net, model, measure)
    prices = prices_of(board)
    inputs = np.asarray(net.input_values(x))
    labels = None if y is None else class_labels("y", y, len(inputs), classes_of(net.network))
    tally = InputTally(net.network)
    tally.checked(inputs)
    tally.warn()
    bits = RecordedBits.of(net.network.facts)
    stages = ann_stages(module, inputs, bits.payload)
    layers = build_layers(net.network, net.stages, stages, bits.weights)
    measurements = _Measurements(
        net, module, layers, InputModel(net.network.input), progress or (lambda done, of: None), prices
    )
    step = _images_per_batch(net)
    starts = range(0, len(inputs), step)
    done = 0
    with _one_numba_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore", InputRangeWarning)  # said once for all batches
        try:
            for i, first in enumerate(starts):
                part = slice(first, min(first + step, len(inputs)))
                measurements.add_batch(inputs[part], None if labels is None else labels[part], i, len(starts))
                done = part.stop
        except KeyboardInterrupt:
            if not done:
                raise
        return measurements.diagnosis(done, len(inputs), measure, bits)


@contextmanager
def _one_numba_thread() -> Iterator[None]:
    """Run numba on one thread: its kernels are short, and its threads would compete with those of torch."""
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        yield
    finally:
        numba.set_num_threads(before)


def _checked(net: OneSpikeNetwork, model: ModelSource | None, measure: str) -> torch.nn.Module:
    if measure not in ("relative", "kl"):
        raise ConfigurationError(f"measure: must be 'relative' or 'kl', got {measure!r}")
    if net.graph is not None:
        raise ConfigurationError(
            f"{net.network.name}: must be a network of independent samples, got a graph network; use `onespike "
            "evaluate` for its accuracy"
        )
    if net.network.input.dithered:
        raise ConfigurationError(
            f"{net.network.name}: must round its input to the nearest level, got an input that is rounded by place; "
            "use `onespike evaluate` for its accuracy"
        )
    if model is not None:
        return with_parts(as_module(model), net.inputs)
    if net.model is None:
        raise ConfigurationError(
            f"{net.network.name}: requires the model that it was converted from, got none; pass it as `model`"
        )
    return net.model


def _images_per_batch(net: OneSpikeNetwork) -> int:
    """Batch size that keeps the values and phases of two runs and the trace of the integers within the budget."""
    sizes = [prod(p.shape) for p in net.network.populations]
    return int(np.clip(BUDGET_BYTES // (24 * sum(sizes) + 64 * max(sizes)), 1, BATCH))


@dataclass(eq=False)
class _Measurements:
    """Errors of all runs, accumulated batch by batch."""

    net: OneSpikeNetwork
    model: torch.nn.Module
    layers: NetworkModel
    source: InputModel
    progress: Progress
    prices: OperationPrices | None = None
    without: dict[Key, ErrorSum] = field(default_factory=dict)
    alone: dict[Key, ErrorSum] = field(default_factory=dict)
    exact: ErrorSum = field(default_factory=ErrorSum)
    integer: ErrorSum = field(default_factory=ErrorSum)
    baseline: ErrorSum = field(default_factory=ErrorSum)
    run: SwitchedRuns | None = None

    def __post_init__(self) -> None:
        headroom = self.net.network.facts.get("headroom")
        known = headroom if isinstance(headroom, Mapping) else {}
        self.spikes = SpikeCounter(self.net.network)
        self.tallies = {
            y.name: Tally(y, int(known.get(y.name, {}).get("given_up_bits", 0))) for y in self.layers.layers
        }

    def add_batch(self, x: NDArray[np.floating], labels: NDArray[np.integer] | None, number: int, batches: int) -> None:
        """Make all runs of one batch. Sums change only at its end, so that an interruption leaves whole batches."""
        trace = self.net.trace(x)
        pinned = frozenset(name for name, t in trace.layers.items() if t.peak >= V_MAX)
        run = SwitchedRuns(self.layers, self.source, x, pinned)
        run.start()
        errors_of: dict[str, frozenset[Cause]] = {
            self.source.name: frozenset(c for c, n in self.source.wrong(x).items() if n)
        }
        for layer in self.layers.layers:
            errors_of[layer.name] = frozenset(layer.causes(run.decision(layer), layer.name in pinned))
        variants = _variants(errors_of)
        without: dict[Key, Output] = {}
        alone: dict[Key, Output] = {}
        for i, (key, causes) in enumerate(variants.items()):
            without[key], alone[key] = run.output(causes), run.alone(causes)
            self.progress(number * len(variants) + i + 1, batches * len(variants))
        exact, base = run.exact_output(), run.baseline_output()
        for layer in self.layers.layers:
            self.tallies[layer.name].add(run.decision(layer), trace.layers[layer.name])
        network = self.net.network
        ann = split(network, ann_output(self.model, x, self.net.outputs))
        finishes = [p.finish for p in network.readouts]
        for key in {*self.without, *variants}:
            # A cause that occurs in some batches only changes nothing in the others.
            for sums, found, unchanged, before in (
                (self.without, without, base, self.baseline),
                (self.alone, alone, exact, self.exact),
            ):
                outputs = split(network, found.get(key, unchanged))
                sums.setdefault(key, ErrorSum.like(before)).add_all(outputs, ann, finishes, labels)
        for total, output in ((self.exact, exact), (self.integer, trace.output), (self.baseline, base)):
            total.add_all(split(network, output), ann, finishes, labels)
        self.spikes.add(trace.layers)
        self.run = run

    def diagnosis(self, images: int, requested: int, measure: str, bits: RecordedBits) -> Diagnosis:
        """Report of all batches so far."""
        kinds = {self.source.name: "input", **{y.name: y.kind for y in self.layers.layers}}
        statistics = {name: tally.statistics for name, tally in self.tallies.items()}
        layers = []
        for name, kind in kinds.items():
            causes = {c: self._loss((name, c), measure) for c in Cause if (name, c) in self.without}
            layers.append(LayerDiagnosis(name, kind, causes, self._loss((name, None), measure), statistics.get(name)))
        everywhere = {c: self._loss((None, c), measure) for c in Cause if (None, c) in self.without}
        name, corrected = self.net.network.name, self.layers.corrected
        found = Diagnosis(
            name, images, requested, measure, self.integer.error, self.baseline.error, self.exact.error,
            tuple(layers), everywhere, corrected,
            costs=population_costs(self.net.network, self.spikes, self.prices),
        )  # fmt: skip
        assert self.run is not None
        sentences = (layer_sentence(y, self.tallies.get(y.name), self.run, found, bits) for y in layers)
        layers = [replace(y, remedy=text) for y, text in zip(layers, sentences, strict=True)]
        found = replace(found, layers=tuple(layers))
        return replace(found, sentence=network_sentence(found))

    def _loss(self, key: Key, measure: str) -> Loss:
        base = self.baseline.error
        if key not in self.without:
            return Loss(0.0, 0.0, 0.0, base)
        without, alone = self.without[key], self.alone[key].error.measured(measure)
        uncertainty = without.uncertainty(self.baseline, measure)
        value = base.measured(measure) - without.error.measured(measure)
        return Loss(value, uncertainty, alone, without.error)


def _variants(errors_of: Mapping[str, Causes]) -> dict[Key, dict[str, Causes]]:
    """Switched causes by population, for every run: one cause in one population, all in one, one cause in all."""
    runs: dict[Key, dict[str, Causes]] = {}
    for name, causes in errors_of.items():
        runs.update({(name, c): {name: frozenset({c})} for c in Cause if c in causes})
        if causes:
            runs[name, None] = {name: causes}
    for cause in Cause:
        places = {name: frozenset({cause}) for name, causes in errors_of.items() if cause in causes}
        if places:
            runs[None, cause] = places
    return runs
