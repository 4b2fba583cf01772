"""`evaluate` by a metric of the user: a function of outputs and targets, for outputs that are no scores of classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from numbers import Real
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.operation_prices import OperationPrices
from loihi_onespike.errors import ConfigurationError
from loihi_onespike.evaluation.evaluation import Accuracy, Evaluation
from loihi_onespike.evaluation.evaluator import Evaluator, Progress
from loihi_onespike.evaluation.spike_counter import SpikeCounter

Metric: TypeAlias = Callable[[Any, Any], float | Mapping[str, float]]
"""metric(outputs, targets), the outputs in the structure that the model returns them in."""


def evaluate_metric(
    evaluator: Evaluator,
    metric: Metric,
    targets: Any,
    structured: Callable[[NDArray[np.float64]], Any],
    prices: OperationPrices | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """The metric of the outputs of all samples, with spikes, operations and α as `evaluate` reports them.

    Args:
        evaluator: network, executor and inputs; its labels are not used.
        metric: function of outputs and targets.
        targets: what the metric gets beside the outputs.
        structured: puts outputs (N, …) of an executor into the structure that the metric gets.
        prices: prices of a board; None for none.
        progress: called as progress(samples done, samples in all).

    Raises:
        ConfigurationError: the metric gives no number.
    """
    counter = SpikeCounter(evaluator.network)
    of_network, of_ann = [], []
    samples, step = len(evaluator.images), evaluator.per_step
    for first in range(0, samples, step):
        part = evaluator.images[first : first + step]
        trace = evaluator.trace(part)
        counter.add(trace.layers)
        of_network.append(trace.output)
        if evaluator.answer is not None:
            of_ann.append(evaluator.answer(part))
        if progress is not None:
            progress(min(first + step, samples), samples)
    found = _values(metric(structured(np.concatenate(of_network)), targets))
    ann = _values(metric(structured(np.concatenate(of_ann)), targets)) if of_ann else None
    clipped = 0 if evaluator.tally is None else evaluator.tally.outside
    if evaluator.tally is not None:
        evaluator.tally.warn()
    evaluation = Evaluation.of(
        evaluator.network, evaluator.executor, counter, Accuracy(0, 0), None, None, clipped, prices
    )
    return replace(evaluation, metric=found, ann_metric=ann)


def _values(found: float | Mapping[str, float]) -> dict[str, float]:
    """Numbers by name; that of a metric without names is called metric."""
    named = found if isinstance(found, Mapping) else {"metric": found}
    values = {name: value.item() if hasattr(value, "item") else value for name, value in named.items()}
    wrong = {name: value for name, value in values.items() if not isinstance(value, Real)}
    if wrong or not all(isinstance(name, str) for name in values):
        raise ConfigurationError(f"metric: must give a number, or a mapping from names to numbers, got {found!r:.80}")
    return {name: float(value) for name, value in values.items()}
