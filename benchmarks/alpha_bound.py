"""What bounds α without payload: predicted error and additions of the best codes at several prices of a spike.

    python -m benchmarks.alpha_bound --network resnet20/
    python -m benchmarks.alpha_bound --network vgg16/ --images-of resnet20/

For every price the allocation of `conversion/calibration/allocation.py` is shown, in which channels of a population
choose their side and share the silence, and what channels that chose their silence too, or one of two pairs of side and
silence for each population, would reach with the same levels. These are predictions: squared error at the output as a
share of its variance, and additions per multiply-accumulate of the ANN, those of the input included.
"""

from __future__ import annotations

from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.cifar10 import module_of
from benchmarks.command_line import command_parser, write_json
from loihi_onespike.conversion.calibration.allocation import CHANNELS, VALUES, Allocation, Allocator
from loihi_onespike.conversion.calibration.code_fit import FIRST_LEVEL, ActivationValues
from loihi_onespike.conversion.calibration.codebooks import thinned
from loihi_onespike.conversion.calibration.energy_terms import EnergyTerms, alpha_terms
from loihi_onespike.conversion.calibration.paper_plan import plan_by_maxima
from loihi_onespike.conversion.calibration.population import PopulationTarget
from loihi_onespike.conversion.calibration.priced_fit import FACTORS, OutputCost, candidates, grid_of
from loihi_onespike.conversion.calibration.survey import Survey
from loihi_onespike.conversion.codes_of_options import hidden_code, input_code
from loihi_onespike.conversion.lowering.separate_pooling import separate_pooling
from loihi_onespike.conversion.pipeline import lowered_stages
from loihi_onespike.conversion.resolved_options import ResolvedOptions
from loihi_onespike.conversion.source import BatchSource
from loihi_onespike.data.batches import calibration_batches
from loihi_onespike.evaluation.alpha import FP32

Float = NDArray[np.float64]

PRICES = (0.0, 2.5e-3, 5e-3, 0.01, 0.02, 0.04, 0.08, 0.16)
"""Prices of as many additions as the ANN has multiply-accumulates, in units of the error."""


def choices(values: ActivationValues, cost: OutputCost, levels: Float) -> Float:
    """Cost, error and spikes of every channel with each candidate of sides and silence, (candidates, 3, C).

    Args:
        values: activations of a population.
        cost: price of errors and spikes.
        levels: (L,) levels in units of λ.
    """
    scales = values.largest[:, None] * FACTORS * FIRST_LEVEL / levels[0]
    found = []
    grids = [grid_of(levels, candidate, values.symmetric) for candidate in candidates(values, levels)]
    for errors, spikes in zip(*values.sorted.errors_and_spikes(grids, scales), strict=True):
        weighted = cost.weights[:, None] * errors
        total = weighted + cost.price / len(scales) * spikes
        best, rows = total.argmin(axis=1), np.arange(len(scales))
        found.append(np.stack([total[rows, best], weighted[rows, best], spikes[rows, best]]))
    return np.stack(found)


def least(tried: Float) -> Float:
    """Cost, error and spikes of every channel with the candidate of least cost, (3, C)."""
    return np.take_along_axis(tried, tried[:, :1].argmin(axis=0)[None], axis=0)[0]


def reached(allocation: Allocation, values: dict[str, ActivationValues], energy: EnergyTerms, groups: int) -> Float:
    """Error and additions with so many candidates per population; 0 for one per channel.

    Args:
        allocation: prices and levels.
        values: activations by stage.
        energy: additions by the spikes of the stages.
        groups: number of candidates that the channels of a population share.
    """
    total = np.array([0.0, energy.constant + energy.per_input_spike * energy.input_spikes])
    for name, of_stage in values.items():
        channels = thinned(of_stage, CHANNELS)
        few, cost = of_stage.of_channels(channels).of_samples(VALUES), allocation.costs[name].of_channels(channels)
        tried = choices(few, cost, allocation.codes[name].levels())
        sets = combinations_with_replacement(range(len(tried)), groups) if groups else [tuple(range(len(tried)))]
        _, errors, spikes = min((least(tried[list(chosen)]) for chosen in sets), key=lambda best: float(best[0].sum()))
        total += errors.sum(), energy.per_spike[name] * spikes.mean()
    return total


def main() -> None:
    """Run the command."""
    parser = command_parser(__doc__)
    parser.add_argument("--network", type=Path, required=True, metavar="FOLDER", help="folder of the network")
    parser.add_argument("--images-of", type=Path, metavar="FOLDER", help="folder of the images (default: --network)")
    parser.add_argument("--calibration-images", type=int, default=512, metavar="N", help="default: 512")
    parser.add_argument("--timesteps", type=int, default=16, metavar="T", help="default: 16")
    args = parser.parse_args()
    data = module_of(args.images_of or args.network)
    images = data.normalise(data.images("calibration")[0][: args.calibration_images])
    options = ResolvedOptions(timesteps=args.timesteps, payload_bits=0)
    source = BatchSource.of(module_of(args.network).load(), calibration_batches(images))
    graph = separate_pooling(lowered_stages(source), options.payload_bits)
    graph = source.plan_input(graph, input_code(options))
    survey = Survey(graph, source.batches, len(images))
    plans = plan_by_maxima(graph, survey.maxima, hidden_code(options), None, options.normalization).plans
    targets = {s.name: s for s in graph.hidden if s.name in survey.samples}
    values = {
        name: PopulationTarget.of(graph, stage, plans[name].scale, options.parts, True).values(survey.samples[name])
        for name, stage in targets.items()
    }
    x = np.concatenate(source.batches)
    energy = alpha_terms(graph, x)
    allocator = Allocator(graph, values, x, args.timesteps, 0, energy)
    print("price     error, additions, α:  now                     two per population        one per channel")
    report = []
    for price in PRICES:
        allocation = allocator.at(price)
        rows = [np.array([allocation.error, allocation.energy])]
        rows += [reached(allocation, values, energy, groups) for groups in (2, 0)]
        texts = [f"{error:.5f} {spent:.4f} {FP32.mac_pj / FP32.add_pj / spent:6.2f}" for error, spent in rows]
        print(f"{price:<8} " + "      ".join(texts), flush=True)
        report.append({"price": price, "error_and_additions": [row.tolist() for row in rows]})
    write_json(args.json, report)


if __name__ == "__main__":
    main()
