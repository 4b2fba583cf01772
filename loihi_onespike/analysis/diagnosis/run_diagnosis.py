"""`diagnose`: measure what every error of every population costs at the output."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from math import prod
from typing import Literal

import numba
import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from loihi_onespike.analysis.diagnosis.causes import Cause
from loihi_onespike.analysis.diagnosis.measuring.batch_runs import Causes, SwitchedRuns
from loihi_onespike.analysis.diagnosis.measuring.output_error import ErrorSum
from loihi_onespike.analysis.diagnosis.measuring.statistics import Tally
from loihi_onespike.analysis.diagnosis.model.build import NetworkModel, ann_stages, build_layers, weight_bits_of
from loihi_onespike.analysis.diagnosis.model.input_model import InputModel
from loihi_onespike.analysis.diagnosis.report.diagnosis_report import Diagnosis, LayerDiagnosis, Loss
from loihi_onespike.analysis.diagnosis.report.remedies import layer_sentence, network_sentence
from loihi_onespike.api import OneSpikeNetwork
from loihi_onespike.core.codes import V_MAX
from loihi_onespike.errors import ConfigurationError
from loihi_onespike.frontend import ModelSource, as_module
from loihi_onespike.frontend.call import ann_output

BATCH = 32
BUDGET_BYTES = 2**29
"""Memory for the values of one batch, which is made smaller to keep to it."""

Key = tuple[str | None, Cause | None]
"""Population and cause that are switched off; None for all of them."""
Progress = Callable[[int, int], None]
Output = NDArray[np.float64]


def diagnose(
    net: OneSpikeNetwork,
    x: ArrayLike | torch.Tensor,
    y: ArrayLike | torch.Tensor | None = None,
    model: ModelSource | None = None,
    progress: Progress | None = None,
    measure: Literal["relative", "kl"] = "relative",
) -> Diagnosis:
    """Loss of accuracy by population and cause, each measured by switching that one error off.

        loss(population, cause)  = error(network) - error(network with the cause off at that population)
        alone(population, cause) = error(ANN with that cause on at that population and nothing else)

    An interruption (Ctrl-C) ends it with the batches that are done, if there are any.

    Args:
        net: a converted or loaded network.
        x: inputs (N, …) as the ANN takes them, others than those of the calibration.
        y: labels (N,), for accuracies in the report.
        model: the ANN; by default the one that was converted.
        progress: called as progress(runs done, runs in all).
        measure: by which losses are given: the squared relative error of the output, which adds up over independent
            errors, or the divergence of the class probabilities.

    Raises:
        ConfigurationError: no ANN, another one than the network came from, no sample, or a graph network.
    """
    module = _checked(net, model, measure)
    inputs = np.asarray(x.detach().cpu() if isinstance(x, torch.Tensor) else x[:])  # type: ignore[index]
    if not len(inputs):
        raise ConfigurationError("x: found no sample, supported 1 and more; some hundred give steady figures")
    inputs = inputs if inputs.dtype in (np.float32, np.float64) else inputs.astype(np.float32)
    labels = None if y is None else np.asarray(y.cpu() if isinstance(y, torch.Tensor) else y)
    stages = ann_stages(module, inputs)
    bits = weight_bits_of(net.network.facts)
    layers = build_layers(net.network, net.stages, stages, bits)
    work = _Work(net, module, layers, InputModel(net.network.input), progress or (lambda done, of: None))
    step = _images_per_batch(net)
    starts = range(0, len(inputs), step)
    done = 0
    with _one_numba_thread():
        try:
            for i, first in enumerate(starts):
                part = slice(first, min(first + step, len(inputs)))
                work.batch(inputs[part], None if labels is None else labels[part], i, len(starts))
                done = part.stop
        except KeyboardInterrupt:
            if not done:
                raise
        return work.diagnosis(done, len(inputs), measure, bits)


@contextmanager
def _one_numba_thread() -> Iterator[None]:
    """Kernels of a batch are short, and their threads would wait for those of torch, which take turns with them."""
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        yield
    finally:
        numba.set_num_threads(before)


def _checked(net: OneSpikeNetwork, model: ModelSource | None, measure: str) -> torch.nn.Module:
    if measure not in ("relative", "kl"):
        raise ConfigurationError(f"measure: found {measure!r}, supported 'relative' and 'kl'")
    if net.graph is not None:
        raise ConfigurationError(
            f"{net.network.name}: found a graph network, supported networks of samples; the errors of a graph's nodes "
            "are not taken apart. Use `onespike evaluate` for its accuracy"
        )
    if model is not None:
        return as_module(model)
    if net.model is None:
        raise ConfigurationError(
            f"{net.network.name}: found no model beside the network, and errors are measured against it; give `model`"
        )
    return net.model


def _images_per_batch(net: OneSpikeNetwork) -> int:
    """Values and phases of the baseline and of one variant, and the trace of the integer network."""
    sizes = [prod(p.shape) for p in net.network.populations]
    return int(np.clip(BUDGET_BYTES // (24 * sum(sizes) + 64 * max(sizes)), 1, BATCH))


@dataclass(eq=False)
class _Work:
    net: OneSpikeNetwork
    model: torch.nn.Module
    layers: NetworkModel
    source: InputModel
    progress: Progress
    without: dict[Key, ErrorSum] = field(default_factory=dict)
    alone: dict[Key, ErrorSum] = field(default_factory=dict)
    exact: ErrorSum = field(default_factory=ErrorSum)
    integer: ErrorSum = field(default_factory=ErrorSum)
    baseline: ErrorSum = field(default_factory=ErrorSum)
    run: SwitchedRuns | None = None

    def __post_init__(self) -> None:
        headroom = self.net.network.facts.get("headroom")
        known = headroom if isinstance(headroom, Mapping) else {}
        self.tallies = {
            y.name: Tally(y, int(known.get(y.name, {}).get("given_up_bits", 0))) for y in self.layers.layers
        }

    def batch(self, x: NDArray[np.floating], labels: NDArray[np.integer] | None, number: int, batches: int) -> None:
        """All runs of one batch; what it adds, it adds at the end, so that an interruption leaves whole batches."""
        trace = self.net.trace(x)
        pinned = frozenset(name for name, t in trace.layers.items() if t.peak >= V_MAX)
        run = SwitchedRuns(self.layers, self.source, x, pinned)
        run.start()
        makes: dict[str, frozenset[Cause]] = {
            self.source.name: frozenset(c for c, n in self.source.wrong(x).items() if n)
        }
        for layer in self.layers.layers:
            makes[layer.name] = frozenset(layer.causes(run.decision(layer), layer.name in pinned))
        variants = _variants(makes)
        without: dict[Key, Output] = {}
        alone: dict[Key, Output] = {}
        for i, (key, causes) in enumerate(variants.items()):
            without[key], alone[key] = run.output(causes), run.alone(causes)
            self.progress(number * len(variants) + i + 1, batches * len(variants))
        exact, base = run.exact_output(), run.baseline_output()
        for layer in self.layers.layers:
            self.tallies[layer.name].add(run.decision(layer), trace.layers[layer.name])
        ann, finish = ann_output(self.model, x), self.net.network.readout.finish
        for key in {*self.without, *variants}:
            # a cause that only some batches have changes nothing in the others
            for sums, found, of_none, before in (
                (self.without, without, base, self.baseline),
                (self.alone, alone, exact, self.exact),
            ):
                sums.setdefault(key, ErrorSum.like(before)).add(found.get(key, of_none), ann, finish, labels)
        for total, output in ((self.exact, exact), (self.integer, trace.output), (self.baseline, base)):
            total.add(output, ann, finish, labels)
        self.run = run

    def diagnosis(self, images: int, requested: int, measure: str, bits: int) -> Diagnosis:
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
        )  # fmt: skip
        assert self.run is not None
        told = (layer_sentence(y, self.tallies.get(y.name), self.run, found, bits) for y in layers)
        layers = [replace(y, remedy=text) for y, text in zip(layers, told, strict=True)]
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


def _variants(makes: Mapping[str, Causes]) -> dict[Key, dict[str, Causes]]:
    """Causes off by population, for every run: one cause at one place, all at one place, one cause everywhere."""
    runs: dict[Key, dict[str, Causes]] = {}
    for name, causes in makes.items():
        runs.update({(name, c): {name: frozenset({c})} for c in Cause if c in causes})
        if causes:
            runs[name, None] = {name: causes}
    for cause in Cause:
        places = {name: frozenset({cause}) for name, causes in makes.items() if cause in causes}
        if places:
            runs[None, cause] = places
    return runs
