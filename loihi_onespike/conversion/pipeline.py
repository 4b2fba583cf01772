"""`convert`: from a trained model to a one-spike network, the whole pipeline in reading order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.api import OneSpikeNetwork
from loihi_onespike.conversion.calibration.input_code import plan_input, recode_mixed_input
from loihi_onespike.conversion.calibration.plan import plan
from loihi_onespike.conversion.gnn import convert_graph
from loihi_onespike.conversion.lowering.compare import compare_outputs
from loihi_onespike.conversion.lowering.lower import lower
from loihi_onespike.conversion.lowering.pool_last import pool_last
from loihi_onespike.conversion.method import Method
from loihi_onespike.conversion.options import Options
from loihi_onespike.conversion.quantization.quantize import quantize
from loihi_onespike.core.encoding import encode_values
from loihi_onespike.core.graphs.network import Network
from loihi_onespike.core.graphs.stage import StageGraph
from loihi_onespike.data.batches import calibration_batches
from loihi_onespike.executors.float.float_executor import FloatExecutor
from loihi_onespike.frontend import ModelSource, as_module, trace
from loihi_onespike.frontend.call import ann_output
from loihi_onespike.frontend.gnn.arguments import is_graph

if TYPE_CHECKING:
    from loihi_onespike.jobs.distributed import Ranks

HEADROOM_IMAGES = (4, 64)
"""Fewest and most calibration images that are sent through the integer network to measure its head-room …"""
HEADROOM_NEURONS = 2**24
"""… as many as make about this number of neurons, so that large networks take no longer than small ones."""

Progress = Callable[[str, int, int], None]
"""Called with what is being done, steps done and steps in all."""


def convert(
    model: ModelSource,
    calibration: torch.Tensor | NDArray[np.floating] | Iterable[object],
    *,
    timesteps: int = 16,
    base: float | Literal["auto"] = "auto",
    wait: int | None = None,
    weight_bits: int = 8,
    input_bits: int | Literal["auto"] = "auto",
    input_code: Literal["binary", "single"] = "binary",
    normalization: Literal["channel", "layer"] = "channel",
    threshold_shift: bool = True,
    method: Method | Literal["calibrated", "paper"] = "calibrated",
    progress: Progress | None = None,
    ranks: Ranks | None = None,
) -> OneSpikeNetwork:
    """Convert a trained ReLU network into a one-spike network with integer weights (arXiv 2403.08786).

    The model is not changed and not trained; it is read as in eval mode.

    Args:
        model: any `torch.nn.Module` of supported operations, a program of `torch.export.export`, or the path of an
            .onnx or .pt2 file.
        calibration: inputs as the model takes them, tensor (N, …) or iterable of batches; (x, y) batches give x.
            For a graph network its arguments: a torch.sparse adjacency, or a tuple of it and the features, or of
            features, edge_index and perhaps edge weights; the whole graph is one sample.
        timesteps: T, phases per window of the hidden populations.
        base: Q of the code; "auto" fits the levels to the activations, or, by the paper's method, takes the base with
            the least mean percentage error for T (Eq. 5).
        wait: steps a neuron waits before its first decision, 1..T; None is full wait: decisions on the whole input.
        weight_bits: width of weights, sign included, 2..8.
        input_bits: phases of the binary coded input, 1..16; "auto" takes 8, which carry 8-bit data exactly, or up to
            12 for values whose rounding error would be larger than 1 % of their deviation.
        input_code: "binary" (many spikes, base 2) or "single" (one spike, paper Table VII).
        normalization: one scale λ per channel (Eq. 2), or per layer.
        threshold_shift: round to the nearest level (Eq. 4) instead of down (Eq. 3).
        method: "calibrated", "paper" for the paper's method alone, or a `Method` with single parts on or off.
        progress: called as progress(what, done, of).
        ranks: processes that share the survey of the activations, with the same arguments on every one of them; all
            get the same network (docs/scale.md). A graph is one sample, so nothing of it is shared.

    Raises:
        UnsupportedModelError: with every operation that has no one-spike form.
        ModelLoadError: when the file of a model cannot be read.
        CalibrationError: when the calibration data is empty or not finite.
        ConfigurationError: when an option is out of range.
        HeadroomError: when a layer does not fit into 24 bits.
    """
    options = Options(
        timesteps, base, wait, weight_bits, input_bits, input_code, normalization, threshold_shift, Method.of(method)
    )
    report = progress or (lambda what, done, of: None)
    model = as_module(model)
    if is_graph(calibration):
        network, stages = convert_graph(model, calibration, options, report)
        return _converted(model, network, stages, options)
    batches = calibration_batches(calibration)
    stages = plan_float(model, batches, options, report, ranks)
    assert stages.input_plan is not None
    neurons = sum(int(np.prod(stage.shape)) for stage in stages.hidden)
    images = np.concatenate(batches)[: int(np.clip(HEADROOM_NEURONS // neurons, *HEADROOM_IMAGES))]
    network = quantize(stages, encode_values(stages.input_plan, images), options.weight_bits, report)
    return _converted(model, network, stages, options)


def _converted(model: torch.nn.Module, network: Network, stages: StageGraph, options: Options) -> OneSpikeNetwork:
    chosen = options.facts(network.input.code)
    facts = {**network.facts, "options": chosen, "rewrites": [*stages.rewrites, *_given_up(network)]}
    return OneSpikeNetwork(replace(network, name=model._get_name(), facts=facts), stages, model)


def _given_up(network: Network) -> list[str]:
    """Notes on layers whose weights lost bits to the head-room of v."""
    headroom = network.facts["headroom"]
    assert isinstance(headroom, Mapping)
    return [
        f"{name}: weights gave up {h['given_up_bits']} bits so that the potential fits into 24 bits"
        for name, h in headroom.items()
        if h["given_up_bits"]
    ]


def plan_float(
    model: torch.nn.Module,
    batches: Sequence[NDArray[np.floating]],
    options: Options,
    report: Progress = lambda what, done, of: None,
    ranks: Ranks | None = None,
) -> StageGraph:
    """The one-spike network in real numbers, as the float executor runs it: traced, lowered, checked and planned.

    Args:
        batches: from `calibration_batches`.
        ranks: processes that share the survey of the activations.

    Raises: as `convert`, but for HeadroomError.
    """
    graph, rewrites = pool_last(trace(model, torch.from_numpy(batches[0][:2])))
    stages = recode_mixed_input(lower(graph, rewrites))
    check_lowering(stages, model, batches[0][:2])
    stages = plan_input(stages, batches, options.code_of_input)
    return plan(stages, batches, options.request, report, ranks)


def check_lowering(stages: StageGraph, model: torch.nn.Module, x: NDArray[np.floating]) -> None:
    """Compare the ANN with the stages that were made of it; raises GraphError when they do not compute the same."""
    compare_outputs(stages.name, ann_output(model, x), FloatExecutor(stages, coded=False).run(x))
