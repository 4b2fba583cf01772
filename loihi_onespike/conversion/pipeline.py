"""The conversion of a trained model into a one-spike network, the whole pipeline in reading order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.conversion.calibration.calibrate import plan
from loihi_onespike.conversion.calibration.input_code import plan_input, recode_mixed_input
from loihi_onespike.conversion.gnn import convert_graph
from loihi_onespike.conversion.lowering.check_lowering import compare_outputs
from loihi_onespike.conversion.lowering.lower import lower
from loihi_onespike.conversion.lowering.pool_last import pool_last
from loihi_onespike.conversion.options import Options
from loihi_onespike.conversion.quantization.quantize import quantize
from loihi_onespike.core.encoding import encode_values
from loihi_onespike.core.graphs.network import Network
from loihi_onespike.core.graphs.stage import StageGraph
from loihi_onespike.data.batches import calibration_batches
from loihi_onespike.executors.float.float_executor import FloatExecutor
from loihi_onespike.frontend import trace
from loihi_onespike.frontend.ann_output import ann_output
from loihi_onespike.frontend.gnn.arguments import is_graph
from loihi_onespike.jobs.distributed import Ranks

HEADROOM_IMAGES = (4, 64)
"""Fewest and most calibration images that are sent through the integer network to measure its head-room …"""
HEADROOM_NEURONS = 2**24
"""… as many as make about this number of neurons, so that large networks take no longer than small ones."""

Progress = Callable[[str, int, int], None]
"""Called with what is being done, steps done and steps in all."""


def convert_network(
    model: torch.nn.Module,
    calibration: torch.Tensor | NDArray[np.floating] | Iterable[object],
    options: Options,
    progress: Progress | None = None,
    ranks: Ranks | None = None,
) -> tuple[Network, StageGraph]:
    """The integer network of a model, and the same network in real numbers: what `loihi_onespike.convert` wraps.

    Args:
        model: the trained network.
        calibration: inputs as the model takes them, see `loihi_onespike.convert`.
        options: of the conversion.
        progress: called as progress(what, done, of).
        ranks: processes that share the survey of the activations.

    Raises: as `loihi_onespike.convert`.
    """
    report = progress or (lambda what, done, of: None)
    if is_graph(calibration):
        network, stages = convert_graph(model, calibration, options, report)
        return _recorded(model, network, stages, options), stages
    batches = calibration_batches(calibration)
    stages = plan_float(model, batches, options, report, ranks)
    assert stages.input_plan is not None
    neurons = sum(int(np.prod(stage.shape)) for stage in stages.hidden)
    images = np.concatenate(batches)[: int(np.clip(HEADROOM_NEURONS // neurons, *HEADROOM_IMAGES))]
    network = quantize(stages, encode_values(stages.input_plan, images), options.weight_bits, report)
    return _recorded(model, network, stages, options), stages


def _recorded(model: torch.nn.Module, network: Network, stages: StageGraph, options: Options) -> Network:
    """The network with its name and the record of how it was made."""
    chosen = options.facts(network.input.code)
    facts = {**network.facts, "options": chosen, "rewrites": [*stages.rewrites, *_given_up(network)]}
    return replace(network, name=model._get_name(), facts=facts)


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
