"""Energy of an image as the allocation sees it: a constant, and the price of a spike of every population.

    E = constant + per_input_spike · (spikes per input value) + Σ_populations per_spike · (spikes per neuron)

All are in units of as many additions as the ANN has multiply-accumulates. In the account of a board a synaptic
operation takes the place of an addition, and everything else is converted to it by the prices of the board. The
constant is what no choice of codes changes: on a board, the updates of all neurons.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

from loihi_onespike.conversion.calibration.sensitivity import IMAGES
from loihi_onespike.core.encoding import encode_values
from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.core.graphs.stage import InputStage, Stage, StageGraph
from loihi_onespike.core.maps.connectivity import connections
from loihi_onespike.core.operation_prices import OperationPrices


@dataclass(frozen=True)
class EnergyTerms:
    """Energy of an image by the spikes of its populations.

    Attributes:
        per_spike: energy of one spike without payload in every neuron of a stage, by stage.
        per_input_spike: energy of one spike for every value of the input, of the stored entries of a sparse one alone.
        input_spikes: spikes per value of the planned input.
        constant: energy of everything else.
        per_bit: share of a spike without payload that each bit of payload costs more.
        per_link: energy of the synapses of one link for one spike of everything it reads, by reading stage and number
            of the link; links whose synapses save nothing when their weight is 0 are left out. Spikes of hidden
            neurons are those without payload, those of the input are as planned.
    """

    per_spike: Mapping[str, float]
    per_input_spike: float
    input_spikes: float
    constant: float = 0.0
    per_bit: float = 0.0
    per_link: Mapping[tuple[str, int], float] = field(default_factory=dict)

    def with_payload(self, bits: int) -> float:
        """Energy of a spike with so many bits of payload in parts of that of one without."""
        return 1 + self.per_bit * bits


def alpha_terms(graph: StageGraph, x: Any) -> EnergyTerms:
    """Additions as α counts them: a spike with b bits of payload counts as b + 1 (Eq. 6, docs/arithmetic.md, Energy).

    Args:
        graph: stages whose input is planned.
        x: calibration inputs (N, *shape), or one sparse sample, whose stored entries alone are multiplied.
    """
    per_spike = additions_of_a_spike_per_neuron(graph)
    links = {(stage.name, i): link for stage in graph.stages[1:] for i, link in enumerate(stage.links)}  # type: ignore[union-attr]
    own = sum(link.macs for link in links.values() if link.pre == graph.input.name)
    assert graph.input_plan is not None
    of_digit, total = graph.input_plan.code.additions_per_spike, _multiply_accumulates(graph)
    per_link = {
        key: (of_digit if link.pre == graph.input.name else 1) * link.macs / total for key, link in links.items()
    }
    return EnergyTerms(per_spike, own / total * of_digit, input_spikes(graph, x), per_bit=1.0, per_link=per_link)


def board_terms(graph: StageGraph, x: Any, timesteps: int, wait: int | None, prices: OperationPrices) -> EnergyTerms:
    """Energy at the prices of a board: synaptic operations, messages, and updates of all neurons in every step.

        per_spike = Σ_links synapses · E_synop + neurons · E_message
        per_input_spike = values · fan-out · E_synop
        constant = Σ_neurons (window · E_active + (period - window) · E_inactive)

    A payload makes a spike no dearer. Each spike is a message per link: how many cores hold its targets, and how far
    they are, is known after the placement only.

    Args:
        graph: stages whose input is planned.
        x: calibration inputs (N, *shape), or one sparse sample.
        timesteps: number of phases T.
        wait: steps before the first decision; None for full wait.
        prices: prices of the operations.
    """
    windows = _windows(graph, timesteps, wait)
    period = max(windows.values())
    per_spike: dict[str, float] = {}
    updates, of_input = 0.0, 0.0
    for stage in graph.stages[:0:-1]:
        assert not isinstance(stage, InputStage)
        neurons, window = prod(stage.shape), windows[stage.name]
        updates += neurons * (window * prices.update_active + (period - window) * prices.update_inactive)
        for link in stage.links:
            shape = graph.by_name[link.pre].shape
            synapses = connections(link.op, shape, link.index)
            if link.pre == graph.input.name:  # what sends the spikes of the input is not on cores
                values = x.nonzeros if isinstance(x, SparseSample) else prod(shape)
                of_input += synapses / prod(shape) * values * prices.synaptic_operation
                continue
            # A spike in front of a max pooling causes one of the pooled neuron.
            behind = per_spike.get(stage.name, 0.0) if stage.kind == "max_pool" else 0.0
            sent = synapses * prices.synaptic_operation + prod(shape) * prices.message
            per_spike[link.pre] = per_spike.get(link.pre, 0.0) + sent + behind
    unit = prices.synaptic_operation * _multiply_accumulates(graph)
    shares = {stage.name: per_spike.get(stage.name, 0.0) / unit for stage in graph.hidden}
    return EnergyTerms(shares, of_input / unit, input_spikes(graph, x), updates / unit)


def additions_of_a_spike_per_neuron(graph: StageGraph) -> dict[str, float]:
    """Additions that one spike in every neuron causes, as a share of the multiply-accumulates of the ANN (Eq. 6).

    A spike in front of a max pooling causes those of the pooled one, and one in front of a product an addition for each
    neuron that it reaches (`evaluation.alpha`).
    """
    macs: dict[str, int] = {}
    for stage in graph.stages[:0:-1]:
        assert not isinstance(stage, InputStage)
        for link in stage.links:
            behind = macs.get(stage.name, 0) if stage.kind == "max_pool" else link.macs
            if stage.is_product:
                behind = connections(link.op, graph.by_name[link.pre].shape, link.index)
            macs[link.pre] = macs.get(link.pre, 0) + behind
    total = _multiply_accumulates(graph)
    return {stage.name: macs.get(stage.name, 0) / total for stage in graph.hidden}


def input_spikes(graph: StageGraph, x: Any) -> float:
    """Spikes per value of the planned input; of a sparse sample, per stored entry, since these alone are multiplied.

    Args:
        graph: stages whose input is planned.
        x: calibration inputs (N, *shape), or one sparse sample.
    """
    assert graph.input_plan is not None
    codes = encode_values(graph.input_plan, x if isinstance(x, SparseSample) else x[:IMAGES])
    words = codes.matrix.data if isinstance(codes, SparseSample) else codes
    return float(graph.input_plan.code.count_spikes(words).mean())


def _multiply_accumulates(graph: StageGraph) -> int:
    return max(sum(link.macs for stage in graph.stages[1:] for link in stage.links), 1)  # type: ignore[union-attr,misc]


def _windows(graph: StageGraph, timesteps: int, wait: int | None) -> dict[str, int]:
    """Steps of the window of the input and of every stage, as the integer network will have them."""
    assert graph.input_plan is not None
    sent = {graph.input.name: graph.input_plan.code.timesteps, **{stage.name: timesteps for stage in graph.hidden}}
    windows = {graph.input.name: sent[graph.input.name]}
    for stage in graph.stages[1:]:
        assert not isinstance(stage, InputStage)
        arriving = max(sent[link.pre] for link in stage.links)
        if not isinstance(stage, Stage):
            windows[stage.name] = arriving
        elif stage.kind == "max_pool":
            windows[stage.name] = max(timesteps, arriving)
        else:
            windows[stage.name] = max((arriving if wait is None else min(wait, arriving)) + timesteps, arriving)
    return windows
