"""`convert`: from a trained model to a one-spike network, the whole pipeline in reading order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.calibration.method import Method
from loihi_onespike.calibration.plan import Request, plan
from loihi_onespike.coding import Base, BinaryCode, PhaseCode, SingleSpikeCode, best_base
from loihi_onespike.errors import CalibrationError, ConfigurationError, GraphError
from loihi_onespike.frontend import ModelSource, as_module, trace
from loihi_onespike.graphs.arguments import is_graph
from loihi_onespike.graphs.conversion import convert_graph
from loihi_onespike.ir.network import Network
from loihi_onespike.ir.stage import StageGraph
from loihi_onespike.network import OneSpikeNetwork, ann_output
from loihi_onespike.passes.input_code import InputCode, plan_input, recode_mixed_input
from loihi_onespike.passes.lower import lower
from loihi_onespike.passes.pool_last import pool_last
from loihi_onespike.passes.quantize import quantize
from loihi_onespike.sim.decode import encode_values
from loihi_onespike.sim.float import FloatExecutor

MAX_TIMESTEPS = 256
HEADROOM_IMAGES = (4, 64)
"""Fewest and most calibration images that are sent through the integer network to measure its head-room …"""
HEADROOM_NEURONS = 2**24
"""… as many as make about this number of neurons, so that large networks take no longer than small ones."""

Progress = Callable[[str, int, int], None]
"""Called with what is being done, steps done and steps in all."""


@dataclass(frozen=True)
class Options:
    """Options of a conversion, checked.

    Attributes: see `convert`.
    """

    timesteps: int = 16
    base: float | Literal["auto"] = "auto"
    wait: int | None = None
    weight_bits: int = 8
    input_bits: int | Literal["auto"] = "auto"
    input_code: Literal["binary", "single"] = "binary"
    normalization: Literal["channel", "layer"] = "channel"
    threshold_shift: bool = True
    method: Method = field(default_factory=Method)

    def __post_init__(self) -> None:
        _within("timesteps", self.timesteps, 1, MAX_TIMESTEPS)
        _within("weight_bits", self.weight_bits, 2, 8)
        if isinstance(self.input_bits, str) and self.input_bits != "auto":
            raise ConfigurationError(
                f"input_bits: found {self.input_bits!r}, supported 'auto' or whole numbers from 1 to 16"
            )
        if not isinstance(self.input_bits, str):
            _within("input_bits", self.input_bits, 1, 16)
        if self.wait is not None:
            _within("wait", self.wait, 1, self.timesteps)
        if self.input_code not in ("binary", "single"):
            raise ConfigurationError(f"input_code: found {self.input_code!r}, supported 'binary' and 'single'")
        if self.normalization not in ("channel", "layer"):
            raise ConfigurationError(f"normalization: found {self.normalization!r}, supported 'channel' and 'layer'")
        if isinstance(self.base, str) and self.base != "auto":
            raise ConfigurationError(f"base: found {self.base!r}, supported 'auto' or a number in (1, 4]")

    @property
    def code(self) -> PhaseCode:
        """Code of the hidden populations."""
        auto = isinstance(self.base, str)
        base = best_base(self.timesteps, self.threshold_shift) if auto else Base.nearest(float(self.base))
        return PhaseCode(base, self.timesteps, self.threshold_shift)

    @property
    def request(self) -> Request:
        """What the calibration is asked for."""
        fitted = self.method.levels and self.base == "auto" and self.threshold_shift
        return Request(self.code, fitted, self.wait, self.normalization, self.weight_bits, self.method)

    @property
    def code_of_input(self) -> InputCode:
        if self.input_code == "single":
            return self.code
        return "auto" if isinstance(self.input_bits, str) else BinaryCode(self.input_bits)


def _within(name: str, value: int, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise ConfigurationError(f"{name}: found {value!r}, supported whole numbers from {low} to {high}")


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
    stages = plan_float(model, batches, options, report)

    done, total = 0, len(stages.stages) - 1

    def quantized(stage: str) -> None:
        nonlocal done
        done += 1
        report("quantize", done, total)

    assert stages.input_plan is not None
    neurons = sum(int(np.prod(stage.shape)) for stage in stages.hidden)
    images = np.concatenate(batches)[: int(np.clip(HEADROOM_NEURONS // neurons, *HEADROOM_IMAGES))]
    network = quantize(stages, encode_values(stages.input_plan, images), options.weight_bits, quantized)
    return _converted(model, network, stages, options)


def _converted(model: torch.nn.Module, network: Network, stages: StageGraph, options: Options) -> OneSpikeNetwork:
    chosen = _facts(options, network.input.code)
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
) -> StageGraph:
    """The one-spike network in real numbers, as the float executor runs it: traced, lowered, checked and planned.

    Args:
        batches: from `calibration_batches`.

    Raises: as `convert`, but for HeadroomError.
    """
    graph, rewrites = pool_last(trace(model, torch.from_numpy(batches[0][:2])))
    stages = recode_mixed_input(lower(graph, rewrites))
    check_lowering(stages, model, batches[0][:2])
    stages = plan_input(stages, batches, options.code_of_input)
    return plan(stages, batches, options.request, report)


LOWERING_TOLERANCE = 1e-3
"""Largest difference between model and lowered graph, relative to the largest output."""


def check_lowering(stages: StageGraph, model: torch.nn.Module, x: NDArray[np.floating]) -> None:
    """Compare the ANN with the stages that were made of it; raises GraphError when they do not compute the same."""
    compare_outputs(stages.name, ann_output(model, x), FloatExecutor(stages, coded=False).run(x))


def compare_outputs(name: str, expected: NDArray[np.float64], found: NDArray[np.float64]) -> None:
    """Raises GraphError when the output of the model and that of what was made of it are not the same."""
    if expected.shape != found.shape:
        raise GraphError(f"{name}: the model gives shape {expected.shape}, the converted graph {found.shape}")
    largest = max(float(np.abs(expected).max(initial=0)), 1e-12)
    difference = float(np.abs(expected - found).max(initial=0)) / largest
    if not difference <= LOWERING_TOLERANCE:
        raise GraphError(
            f"{name}: the converted graph differs from the model by {difference:.2g} of its largest output, "
            f"supported {LOWERING_TOLERANCE:g}; a layer that does not compute in eval mode what its name says (a "
            "patched forward, a random operation) is the usual reason"
        )


def _facts(options: Options, input_code: BinaryCode | SingleSpikeCode) -> dict[str, object]:
    bits = input_code.bits if isinstance(input_code, BinaryCode) else options.input_bits
    base = "fitted" if options.request.fitted_levels else options.code.base.value
    return {**asdict(options), "base": base, "input_bits": bits}


BATCH = 64
"""Images of one calibration step when the data comes as one tensor."""


def calibration_batches(calibration: object) -> list[NDArray[np.floating]]:
    """Calibration data as a list of float arrays (n, …).

    Raises CalibrationError naming what was found when it is empty, ragged or not numeric.
    """
    if isinstance(calibration, torch.Tensor | np.ndarray):
        array = _array(calibration)
        return [array[i : i + BATCH] for i in range(0, len(array), BATCH)] or _none_found()
    if not isinstance(calibration, Iterable):
        raise CalibrationError(
            f"calibration: found {type(calibration).__name__}, supported a tensor or iterable of batches"
        )
    batches = [_array(b[0] if isinstance(b, tuple | list) and len(b) else b) for b in calibration]
    batches = [b for b in batches if len(b)]
    shapes = {b.shape[1:] for b in batches}
    if len(shapes) > 1:
        raise CalibrationError(f"calibration: found samples of shapes {sorted(shapes)}, supported one shape")
    return batches or _none_found()


def _array(batch: object) -> NDArray[np.floating]:
    if isinstance(batch, torch.Tensor):
        batch = batch.detach().cpu().numpy()
    if not isinstance(batch, np.ndarray) or batch.ndim < 2:
        found = f"array of shape {batch.shape}" if isinstance(batch, np.ndarray) else type(batch).__name__
        raise CalibrationError(f"calibration: found {found}, supported batches (N, …) as the model takes them")
    values: NDArray[np.floating] = batch.astype(np.float64 if batch.dtype == np.float64 else np.float32)
    if not np.all(np.isfinite(values)):
        raise CalibrationError("calibration: found NaN or infinity; remove those samples")
    return values


def _none_found() -> list[NDArray[np.floating]]:
    raise CalibrationError("calibration: found no sample; give at least one, some hundred are better")
