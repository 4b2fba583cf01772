"""The conversion of a trained model into a one-spike network, the whole pipeline in reading order.

    trace      model → ANN graph        (frontend)       y = layer(x), one node per operation
    lower      ANN graph → stages       (lowering)       z = Σ scale · op(gather(x)) + bias,  value = f(z)
    resolve    options of the network   (options)        payload_bits="auto" → a number
    plan input                          (calibration)    x ↔ offset + scale · Σ levels
    calibrate                           (calibration)    λ, levels, thresholds, wait of every stage; weights and biases
    quantize   stages → integer network (quantization)   v(t) = (v(t-1) · leak >> 12) + (a_in(t) << shift),  v ≥ θ(k)

Lowering is exact and is checked against the model; the paper's method (Hwang & Kung, arXiv 2403.08786, sections II and
III) is what `calibrate` does with every part of `Method` off. docs/conversion.md tells it at length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.conversion.calibration.calibrate import calibrate
from loihi_onespike.conversion.codes_of_options import input_code, options_record
from loihi_onespike.conversion.lowering.check_lowering import check_lowering
from loihi_onespike.conversion.lowering.exponential_rows import level_exponentials
from loihi_onespike.conversion.lowering.lower import lower
from loihi_onespike.conversion.lowering.recode_mixed_input import recode_mixed_input
from loihi_onespike.conversion.lowering.separate_pooling import separate_pooling
from loihi_onespike.conversion.options import ConversionOptions
from loihi_onespike.conversion.quantization.quantize import quantize
from loihi_onespike.conversion.resolved_options import ResolvedOptions, resolve_options
from loihi_onespike.conversion.source import BatchSource, ConversionSource, GraphSource
from loihi_onespike.core.encoding import encode_values
from loihi_onespike.core.graphs.network import Network
from loihi_onespike.core.graphs.stage import StageGraph
from loihi_onespike.core.operation_prices import OperationPrices
from loihi_onespike.data.batches import calibration_batches
from loihi_onespike.frontend.gnn.arguments import is_graph
from loihi_onespike.jobs.distributed import Ranks

Progress = Callable[[str, int, int], None]
"""Called with what is being done, steps done and steps in all."""


def convert_network(
    model: torch.nn.Module,
    calibration: torch.Tensor | NDArray[np.floating] | Iterable[object],
    options: ConversionOptions,
    progress: Progress | None = None,
    ranks: Ranks | None = None,
    prices: OperationPrices | None = None,
) -> tuple[Network, StageGraph]:
    """The integer network of a model, and the same network in real numbers: what `loihi_onespike.convert` wraps.

    Args:
        model: the trained network.
        calibration: inputs as the model takes them, see `loihi_onespike.convert`.
        options: options of the conversion.
        progress: called as progress(what, done, of).
        ranks: processes that share the survey of the activations.
        prices: prices of the operations on the board that `options.account` names; None for "alpha".

    Raises: as `loihi_onespike.convert`.
    """
    report = progress or (lambda what, done, of: None)
    source = source_of(model, calibration)
    resolved, stages = resolve_options(options, lowered_stages(source), prices)
    stages = planned_stages(source, stages, resolved, report, ranks, prices)
    assert stages.input_plan is not None
    codes = encode_values(stages.input_plan, source.headroom_sample(stages))
    network = quantize(stages, codes, resolved.weight_bits, report, source.is_graph)
    chosen = options_record(resolved, network.input.code)
    rewrites = [*stages.rewrites, *_reduced_precision(network)]
    facts = {**network.facts, **source.facts, "options": chosen, "rewrites": rewrites}
    return replace(network, name=model._get_name(), facts=facts), stages


def source_of(model: torch.nn.Module, calibration: object) -> ConversionSource:
    """The model traced on its calibration data: a graph, or batches of samples.

    Args:
        model: the trained network.
        calibration: see `loihi_onespike.convert`.
    """
    if is_graph(calibration):
        return GraphSource.of(model, calibration)
    return BatchSource.of(model, calibration_batches(calibration))


def lowered_stages(source: ConversionSource) -> StageGraph:
    """Stages that compute exactly what the model computes, checked against it."""
    stages = lower(source.graph, source.graph.rewrites)
    source.refuse_unsupported(stages)
    several = isinstance(source, BatchSource) and source.parts is not None
    stages = recode_mixed_input(stages, by_reader=several)
    check_lowering(stages, *source.sample_and_output())
    return stages


def planned_stages(
    source: ConversionSource,
    lowered: StageGraph,
    options: ResolvedOptions,
    report: Progress = lambda what, done, of: None,
    ranks: Ranks | None = None,
    prices: OperationPrices | None = None,
) -> StageGraph:
    """The one-spike network in real numbers: lowered stages, planned and calibrated.

    Args:
        source: the model traced on its calibration data.
        lowered: its stages, from `lowered_stages`.
        options: options for the network.
        report: called as report(what, done, of).
        ranks: processes that share the survey of the activations.
        prices: as of `convert_network`.
    """
    stages = separate_pooling(lowered, options.payload_bits)
    if not source.is_graph:
        stages = level_exponentials(stages, source.batches)
    stages = source.plan_input(stages, input_code(options))
    return calibrate(stages, source.batches, options, report, ranks, prices)


def plan_float(
    model: torch.nn.Module,
    batches: Sequence[NDArray[np.floating]],
    options: ConversionOptions,
    report: Progress = lambda what, done, of: None,
    ranks: Ranks | None = None,
) -> StageGraph:
    """The one-spike network in real numbers, as the float executor runs it; nothing is quantized.

    Args:
        model: the trained network.
        batches: from `calibration_batches`.
        options: options of the conversion.
        report: called as report(what, done, of).
        ranks: processes that share the survey of the activations.

    Raises: as `loihi_onespike.convert`, but for HeadroomError.
    """
    source = BatchSource.of(model, batches)
    resolved, stages = resolve_options(options, lowered_stages(source))
    return planned_stages(source, stages, resolved, report, ranks)


def _reduced_precision(network: Network) -> list[str]:
    """Notes on layers whose weights lost bits to the head-room of v."""
    headroom = network.facts["headroom"]
    assert isinstance(headroom, Mapping)
    reduced = {name: h["given_up_bits"] for name, h in headroom.items() if h["given_up_bits"]}
    return [
        f"{name}: weight precision reduced by {bits} bit{'s' if bits > 1 else ''} (24-bit potential limit)"
        for name, bits in reduced.items()
    ]
