"""Calibration: code, scale, thresholds and bias of every population, chosen on calibration data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.conversion.calibration.allocation import PRICES, Allocation, Allocator
from loihi_onespike.conversion.calibration.codebooks import codebooks, codes_of_base, groups
from loihi_onespike.conversion.calibration.energy_terms import alpha_terms, board_terms
from loihi_onespike.conversion.calibration.loss_limit import held_out, limited
from loihi_onespike.conversion.calibration.measured_loss import MeasuredLoss, OutputErrors, check_classes
from loihi_onespike.conversion.calibration.paper_plan import plan_by_maxima
from loihi_onespike.conversion.calibration.population import CalibrationSettings, PopulationTarget
from loihi_onespike.conversion.calibration.pruning import Removed
from loihi_onespike.conversion.calibration.sequential import calibrate_in_sequence, output_error
from loihi_onespike.conversion.calibration.survey import Survey
from loihi_onespike.conversion.codes_of_options import hidden_code, levels_are_fitted, payload_ratio
from loihi_onespike.conversion.quantization.quantize import quantize
from loihi_onespike.conversion.resolved_options import ResolvedOptions
from loihi_onespike.core.codes import SingleSpikeCode
from loihi_onespike.core.encoding import encode_values
from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.core.graphs.stage import InputStage, OutputStage, StageGraph
from loihi_onespike.core.graphs.verify_stage import verify_stage
from loihi_onespike.core.operation_prices import OperationPrices
from loihi_onespike.errors import HeadroomError
from loihi_onespike.executors.threads import one_order

if TYPE_CHECKING:
    from loihi_onespike.jobs.distributed import Ranks

Progress = Callable[[str, int, int], None]
Batch = NDArray[np.floating] | SparseSample

LIVE_BYTES = 3 * 2**30
"""Memory for the values of ANN and SNN while the layers are calibrated one after the other."""
TRIAL_IMAGES = 48
"""Samples on which the levels for a short wait are chosen."""
FEW_IMAGES = 4
"""Samples on which these levels are checked for head-room of v."""
STEEPER_RANGES = (16, 32, 64, 256, 1024, 4096)
"""Gains over a whole window, base^T, of the levels that are tried for a short wait; v has no room for more."""
STEEPEST_BASE = 4.0
"""Largest base that is tried for a short wait; the gain of one step is at most 4."""
ENOUGH_IMAGES = 64
"""Number of samples below which a note says that the corrections depend on chance."""


@one_order()
def calibrate(
    graph: StageGraph,
    batches: Sequence[Batch],
    options: ResolvedOptions,
    progress: Progress = lambda what, done, of: None,
    ranks: Ranks | None = None,
    prices: OperationPrices | None = None,
) -> StageGraph:
    """Plan every hidden stage of a graph whose input is planned.

    Args:
        graph: stages from the lowering, with the plan of the input.
        batches: calibration inputs, arrays (n, *shape) or one sparse sample.
        options: options for the network.
        progress: called as progress(what, done, of).
        ranks: processes that share the survey of the data; every one of them does all other work itself.
        prices: prices of the board whose account the allocation uses; None for the additions of α.

    Returns:
        The graph with a plan for every hidden stage, and with the weights and biases that the calibration corrected.

    Raises:
        CalibrationError: there are no data, or values that are not finite.
    """
    if options.max_loss is not None:
        check_classes(graph.outputs)
    total = sum(_samples(batch) for batch in batches)
    survey = Survey(graph, _shown(batches, progress), total, ranks)
    paper = plan_by_maxima(graph, survey.maxima, hidden_code(options), options.wait, options.normalization)
    if not options.parts.sequential:
        return verify_stage(paper)
    largest = {name: p.scale for name, p in paper.plans.items()}
    codes: dict[str, SingleSpikeCode] = {name: p.code for name, p in paper.plans.items()}
    fitted = levels_are_fitted(options)
    if options.payload_bits and not fitted:
        ratio = payload_ratio(options)
        codes = codes_of_base(graph, ratio, options.timesteps, options.payload_bits, options.threshold_shift)
    priced = options.elasticity is not None
    if fitted or priced:
        values = {
            s.name: PopulationTarget.of(graph, s, largest[s.name], options.parts, priced).values(survey.samples[s.name])
            for s in graph.hidden
            if s.name in survey.samples
        }
    settings = CalibrationSettings(codes, largest, options.wait, options.weight_bits, options.parts)
    pruning = options.parts.pruning and options.parts.rounding and options.parts.compensation
    parts = 1 if options.wait is None else max(1, options.timesteps - options.wait)
    x = _together(graph, batches, parts)
    notes = [*graph.rewrites, *_notes(total, _samples(x))]

    @cache  # the allocation that is taken has been tried
    def allocated(chosen: Allocation) -> tuple[StageGraph, CalibrationSettings]:
        """The graph and the settings with the codes of an allocation."""
        of_price = replace(settings, codes=dict(chosen.codes), costs=chosen.costs)
        if pruning:
            of_price = replace(of_price, synapses=chosen.synapses, entries=chosen.entries)
        planned = replace(graph, input_plan=chosen.input)
        if fitted and options.parts.waits and parts > 1:
            of_price = _for_wait(planned, x, of_price, options.timesteps, progress)
        return planned, of_price

    def measured(chosen: Allocation, trial: int) -> MeasuredLoss:
        """Loss of the network that is calibrated without the samples that are held out from a trial."""
        found: list[OutputErrors] = []
        removed: list[Removed] = []
        held = held_out(_samples(x), trial)
        order = np.argsort(held, kind="stable")  # those that are held out come last
        back = torch.from_numpy(np.argsort(order))

        def look(stage: OutputStage, ann: torch.Tensor, snn: torch.Tensor) -> None:
            found.append(OutputErrors.of(stage, ann[back], snn[back], held))

        planned, of_price = allocated(chosen)
        given = x[order] if held.any() else x
        calibrate_in_sequence(planned, given, of_price, output=look, held=int(held.sum()), pruned=removed.append)
        allocator.learn(chosen, sum(each.error for each in removed))
        return found[0].loss()

    def error_of_codes(chosen: Allocation) -> float:
        """Error at the output of the codes of an allocation as measured, on the whole input, weights not rounded."""
        found: list[float] = []
        of_price = replace(
            settings, codes=dict(chosen.codes), costs=chosen.costs, entries=chosen.entries, wait=None,
            method=replace(settings.method, rounding=False),
        )  # fmt: skip
        calibrate_in_sequence(
            replace(graph, input_plan=chosen.input),
            x,
            of_price,
            output=lambda stage, ann, snn: found.append(output_error(stage, ann, snn)),
        )
        return float(np.mean(found))

    if options.elasticity is not None:
        some = _together(graph, batches, 1)
        if prices is None:
            energy = alpha_terms(graph, some)
        else:
            energy = board_terms(graph, some, options.timesteps, options.wait, prices)
        allocator = Allocator(
            graph, values, some, options.timesteps, options.payload_bits, energy, None if fitted else codes,
            options.input_is_free, pruning,
        )  # fmt: skip
        if isinstance(x, SparseSample):
            allocator.learn_codes(options.elasticity, error_of_codes)
        allocation = allocator.best(options.elasticity, _Steps("allocation", len(PRICES), progress))
        if options.max_loss is not None:
            allocation, estimate = limited(allocator, allocation, options.max_loss, measured)
            notes.append(f"max_loss: the estimated loss is {estimate}")
        graph, settings = allocated(allocation)
    elif fitted:
        steps = _Steps("levels", len(groups(graph)), progress)
        codes = codebooks(graph, values, options.timesteps, options.payload_bits, steps)
        settings = replace(settings, codes=codes)
        if options.parts.waits and parts > 1:
            settings = _for_wait(graph, x, settings, options.timesteps, progress)
    removed: list[Removed] = []
    steps = _Steps("layers", len(graph.stages) - 1, progress)
    calibrated = calibrate_in_sequence(graph, x, settings, steps, pruned=removed.append)
    return verify_stage(replace(calibrated, rewrites=(*notes, *_of_pruning(removed))))


def _for_wait(
    graph: StageGraph,
    x: Any,
    settings: CalibrationSettings,
    timesteps: int,
    progress: Progress,
) -> CalibrationSettings:
    """The settings with the levels of least error at the output under a short wait.

    Under a short wait phase k is decided on the input of steps 1..wait + k. With steeper levels less of the input is
    missing by then, but the code is coarser. Which effect is larger is measured on some of the data.
    """
    some = x if isinstance(x, SparseSample) else x[:TRIAL_IMAGES]
    few = x if isinstance(x, SparseSample) else x[:FEW_IMAGES]
    bases = [gain ** (1 / timesteps) for gain in STEEPER_RANGES]
    codes, bits = [settings.codes], {name: code.payload_bits for name, code in settings.codes.items()}
    codes += [codes_of_base(graph, base, timesteps, bits) for base in bases if base <= STEEPEST_BASE]
    progress_of = _Steps("wait", len(codes), progress)
    # Fitting the weights takes most of the time of a pass and hardly changes the order of the trials.
    method = replace(settings.method, weights=False, rounding=False)
    trials: list[tuple[float, StageGraph, Mapping[str, SingleSpikeCode]]] = []
    for tried in codes:
        errors: list[float] = []
        planned = calibrate_in_sequence(
            graph, some, replace(settings, codes=tried, method=method),
            output=lambda stage, ann, snn: errors.append(output_error(stage, ann, snn)),  # noqa: B023
        )  # fmt: skip
        trials.append((np.nan_to_num(np.mean(errors), nan=np.inf), planned, tried))
        progress_of()
    for _, planned, tried in sorted(trials, key=lambda trial: trial[0]):
        if tried is settings.codes or _fits(planned, few, settings.weight_bits):
            return replace(settings, codes=tried)
    return settings


def _fits(planned: StageGraph, x: Any, weight_bits: int) -> bool:
    """Whether v fits into 24 bits; steeper levels have a larger gain over the window."""
    assert planned.input_plan is not None
    try:
        quantize(planned, encode_values(planned.input_plan, x), weight_bits, graph_layers=isinstance(x, SparseSample))
    except HeadroomError:
        return False
    return True


class _Steps:
    """Counts calls for the progress report."""

    def __init__(self, what: str, total: int, progress: Progress) -> None:
        self._what, self._total, self._progress, self._done = what, total, progress, 0

    def __call__(self) -> None:
        self._done += 1
        self._progress(self._what, self._done, self._total)


def _samples(batch: Any) -> int:
    return 1 if isinstance(batch, SparseSample) else len(batch)


def _shown(batches: Sequence[Batch], progress: Progress) -> Any:
    for i, batch in enumerate(batches, start=1):
        yield batch
        progress("calibrate", i, len(batches))


def _together(graph: StageGraph, batches: Sequence[Batch], parts: int) -> Any:
    """Calibration data as one array, with as many samples as LIVE_BYTES allow."""
    if isinstance(batches[0], SparseSample):
        return batches[0]
    images = max(1, LIVE_BYTES // live_bytes(graph, parts))
    taken, found = [], 0
    for batch in batches:
        taken.append(batch[: images - found])  # type: ignore[index]
        found += len(taken[-1])
        if found >= images:
            break
    return np.concatenate(taken)


def live_bytes(graph: StageGraph, parts: int = 1) -> int:
    """Bytes per sample at the widest point: values of ANN and SNN that later layers read, and the work of one layer.

    Args:
        graph: stages to calibrate.
        parts: number of parts in which the input of a layer is looked at, 1 with a full wait.
    """
    last: Mapping[str, int] = {
        link.pre: i for i, s in enumerate(graph.stages) if not isinstance(s, InputStage) for link in s.links
    }
    sizes = [int(np.prod(stage.shape)) for stage in graph.stages]
    widest = 0
    for i in range(len(graph.stages)):
        alive = sum(sizes[j] for j, s in enumerate(graph.stages[: i + 1]) if last.get(s.name, -1) >= i or j == i)
        widest = max(widest, 2 * alive + (4 + 2 * parts) * sizes[i])
    return 4 * widest


def _of_pruning(removed: Sequence[Removed]) -> tuple[str, ...]:
    """What pruning did, where it removed something."""
    gone, total = sum(each.weights for each in removed), sum(each.of for each in removed)
    if not gone:
        return ()
    of_all = f"{gone:,} of {total:,} weights, {100 * gone / total:.0f} %"
    return (f"pruning: removed {of_all}, whose additions cost more than they are worth",)


def _notes(found: int, used: int) -> tuple[str, ...]:
    notes = []
    if used < found:
        notes.append(f"calibration: the layers were calibrated on {used} of {found} samples, to keep within memory")
    if 1 < found < ENOUGH_IMAGES:  # a single sample is a graph, which has many nodes
        notes.append(
            f"calibration: found {found} samples, below {ENOUGH_IMAGES} the corrections follow chance; give more"
        )
    return tuple(notes)
