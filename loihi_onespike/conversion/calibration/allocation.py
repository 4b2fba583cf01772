"""Spikes spent where they count: errors and spikes of all populations traded at one rate.

Errors of populations add up at the output, so the choice of a code is separable: with one price of energy in units of
the error at the output, every population takes the code of least error + price · energy (equal slope). The price itself
is the one at which error · energy^p is least, where p is the elasticity that the objective allows: at p = 2, 1 % less
energy may cost 2 % more squared error. Energy is counted in an account (`energy_terms.py`): the additions of α, or the
operations of a board.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.conversion.calibration.code_fit import ActivationValues
from loihi_onespike.conversion.calibration.codebooks import groups, is_relative, payload_of, relative_code, thinned
from loihi_onespike.conversion.calibration.energy_terms import EnergyTerms
from loihi_onespike.conversion.calibration.priced_fit import (
    Candidates,
    OutputCost,
    PricedFit,
    fit_priced,
    fit_priced_codebook,
)
from loihi_onespike.conversion.calibration.priced_input import InputCandidate, input_candidates
from loihi_onespike.conversion.calibration.pruned_entries import PrunedEntries, pruned_entries
from loihi_onespike.conversion.calibration.pruning import SynapsePrices
from loihi_onespike.conversion.calibration.sensitivity import output_sensitivity
from loihi_onespike.core.codes import SingleSpikeCode
from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.core.graphs.stage import InputPlan, Stage, StageGraph

Float = NDArray[np.float64]

CHANNELS = 16
"""Largest number of channels per population on which the price is chosen and the levels are fitted."""
VALUES = 1024
"""Largest number of values per channel for the same."""
PRICES = (0.0, 2.5e-3, 0.01, 0.04, 0.16)
"""Prices for which levels are fitted, of as many additions as the ANN has multiply-accumulates."""
FINER = (0.5, 0.65, 0.8, 1.0, 1.25, 1.6, 2.0)
"""Factors on the best of these prices that are tried with its levels."""
MOST_ERROR = 1 / 3
"""Share of the error of the codes of least error that cheaper ones of a graph may add, per unit of the elasticity.

The energy of a graph falls so far at so little error that error · energy^p alone would give up its accuracy. By
default, at p = 1.25, cheaper codes may add 42 % of the error that the best ones have.
"""
LEAST_PRICE = PRICES[1] / 16
"""Price up to which hidden codes hardly differ from those of price 0."""
NEGLIGIBLE_ERROR = 0.0005
"""Squared error at the output, as a share of its variance, that is added to every error before errors are compared.

An error far below it changes the class of few samples, and hardly the accuracy: energy should not be spent on it.
"""
PRUNING_GROWTH = 1.5
"""Power of the price with which the error of removed synapses grows.

Weights are about equally dense near 0: √price of them are removed, and the error of each is up to the price.
"""
BEST_MEASURED = 2
"""Most prices of best allocations of a graph whose codes are measured beside those of PRICES."""
SAME_PRICE = 0.1
"""Difference of the logarithms of two prices below which one measurement serves both."""
HALVINGS = 5
"""Prices between two others that are tried for a given error."""


@dataclass(frozen=True, eq=False)
class Allocation:
    """Codes and costs of all populations at one price.

    Attributes:
        codes: code of every hidden stage.
        costs: what errors and spikes cost, by stage; none for max pooling.
        input: plan of the input.
        price: price of as many additions as the ANN has multiply-accumulates, in units of the error.
        error: predicted squared error at the output, as a share of the variance of the outputs.
        of_codes: the part of `error` that the codes of hidden populations add.
        energy: predicted energy of an image in the chosen account, in units of as many additions as the ANN has
            multiply-accumulates. Synapses that pruning removes inside the network are counted, since they are not known
            before the layers are calibrated; those of a sparse input are not.
        synapses: what synapses cost at this price, or at p · (error + NEGLIGIBLE_ERROR) / energy where that is less:
            there 1 % less energy costs p percent more, for the elasticity p.
        entries: weights that read a sparse input, by stage and number of the link, where some may be removed.
    """

    codes: Mapping[str, SingleSpikeCode]
    costs: Mapping[str, OutputCost]
    input: InputPlan
    price: float
    error: float
    of_codes: float
    energy: float
    synapses: SynapsePrices
    entries: Mapping[tuple[str, int], PrunedEntries]

    def merit(self, elasticity: float) -> float:
        """ln (error + NEGLIGIBLE_ERROR) + p · ln energy; less is better."""
        return float(np.log(self.error + NEGLIGIBLE_ERROR) + elasticity * np.log(max(self.energy, 1e-6)))


def _place(price: float) -> float:
    """Logarithm of a price, of LEAST_PRICE for lower ones."""
    return float(np.log(max(price, LEAST_PRICE)))


def most_error(least: float, elasticity: float) -> float:
    """Largest squared error at the output of a graph, for that of its codes of least error and the elasticity p."""
    return max(least * (1 + MOST_ERROR * elasticity), NEGLIGIBLE_ERROR)


class Allocator:
    """Codes of least cost for all populations at any price.

    Args:
        graph: stages to plan.
        values: activations by stage; stages of max pooling are not among them.
        x: calibration inputs (N, *shape), or one sparse sample.
        timesteps: number of phases T.
        payload_bits: most bits of payload of a spike; each group of populations gets as many of them as pay.
        energy: energy of an image by its spikes, in the chosen account.
        codes: code of every hidden stage; None for levels that are fitted.
        input_is_free: whether a sparse input may get another code than the planned one.
        pruning: whether weights that read a sparse input may be removed.
    """

    def __init__(
        self,
        graph: StageGraph,
        values: Mapping[str, ActivationValues],
        x: Any,
        timesteps: int,
        payload_bits: int,
        energy: EnergyTerms,
        codes: Mapping[str, SingleSpikeCode] | None = None,
        input_is_free: bool = False,
        pruning: bool = False,
    ) -> None:
        self._graph, self._timesteps, self._payload_bits, self._given = graph, timesteps, payload_bits, codes
        self._energy = energy
        self._sensitivity = output_sensitivity(graph, x)
        assert graph.input_plan is not None
        # The rounding error of the planned code is not counted, since the data or the user asked for its bits.
        self._inputs = [InputCandidate(graph.input_plan, 0.0, energy.input_spikes)]
        if input_is_free and isinstance(x, SparseSample):
            self._inputs += input_candidates(graph, x, timesteps)
        self._entries: dict[tuple[str, int], list[PrunedEntries]] = {}
        if pruning and isinstance(x, SparseSample):
            self._entries = pruned_entries(graph, x, energy, self._sensitivity)
        self._channels = {name: thinned(v, CHANNELS) for name, v in values.items()}
        self._values = {name: v.of_channels(self._channels[name]).of_samples(VALUES) for name, v in values.items()}
        self._measured_codes: dict[tuple[ActivationValues, bytes], Candidates] = {}
        self._fitted: dict[float, Mapping[str, SingleSpikeCode]] = {}
        self._tried: list[Allocation] = []
        self._pruned = (1.0, 0.0)
        self._measured: dict[float, float] = {}
        self._elasticity = np.inf

    def at(self, price: float, codes: Mapping[str, SingleSpikeCode] | None = None) -> Allocation:
        """The allocation of least error + price · energy.

        Args:
            price: price of as many additions as the ANN has multiply-accumulates.
            codes: levels of every hidden stage; None to fit them.
        """
        energy = self._energy
        found = self._given if codes is None else codes
        if found is None:  # what is learnt of errors does not change the levels, so those of a price are fitted once
            if price not in self._fitted:
                self._fitted[price] = self._codebooks(price)
            found = self._fitted[price]
        bits = {name: code.payload_bits for name, code in found.items()}
        costs = {name: self._cost(name, price, bits[name]) for name in self._values}
        fits = {name: self._fit(name, costs[name], found[name]) for name in costs}
        # An error of hidden populations that is larger than predicted makes errors elsewhere cheaper.
        ratio = self._ratio(price)
        source, entries = self._input(price * ratio)
        of_codes = ratio * sum(fit.error for fit in fits.values())
        error = source.error + of_codes + sum(chosen.removed.error for chosen in entries.values())
        spent = energy.constant + energy.per_input_spike * source.spikes
        spent -= source.spikes * sum(chosen.removed.energy for chosen in entries.values())
        of_spike = {name: energy.per_spike[name] * energy.with_payload(bits[name]) for name in fits}
        spent += sum(of_spike[name] * fit.spikes for name, fit in fits.items())
        # At a price beyond the one that the elasticity allows, codes have nothing more to give, but synapses would.
        of_synapses = min(price * ratio, self._elasticity * (error + NEGLIGIBLE_ERROR) / spent) if spent > 0 else price
        synapses = SynapsePrices(of_synapses, energy, self._sensitivity, source.spikes, bits)
        return Allocation(found, costs, source.plan, price, error, of_codes, spent, synapses, entries)

    def _input(self, price: float) -> tuple[InputCandidate, dict[tuple[str, int], PrunedEntries]]:
        """Code of the input and weights that read a sparse one, of least error + price · energy together."""
        tried: list[tuple[float, InputCandidate, dict[tuple[str, int], PrunedEntries]]] = []
        for source in self._inputs:
            entries = {
                key: min(found, key=lambda each: each.cost(price * source.spikes))
                for key, found in self._entries.items()
            }
            saved = sum(each.cost(price * source.spikes) for each in entries.values())
            tried.append((source.cost(price * self._energy.per_input_spike) + saved, source, entries))
        _, source, entries = min(tried, key=lambda each: each[0])
        return source, entries

    def best(self, elasticity: float, done: Callable[[], None] = lambda: None) -> Allocation:
        """The allocation at the price at which error · energy^p is least.

        Args:
            elasticity: p.
            done: called after every price of PRICES.
        """
        self._tried, self._elasticity = [], elasticity
        for price in PRICES:
            self._tried.append(self.at(price))
            done()
        start = min(self._tried, key=lambda tried: tried.merit(elasticity))
        finer = [self.at(start.price * factor, start.codes) for factor in FINER] if start.price > 0 else []
        best = min([start, *finer], key=lambda tried: tried.merit(elasticity))
        most = most_error(self._tried[0].error, elasticity) if self._measured else np.inf
        if best.error <= most:
            return best
        above = min((tried for tried in [*self._tried, best] if tried.error > most), key=lambda tried: tried.price)
        return self.within(most, above, LEAST_PRICE / 16)

    def learn_codes(self, elasticity: float, measure: Callable[[Allocation], float]) -> None:
        """Take what the codes of hidden populations of a graph add to the error as measured, not as predicted.

        A graph sums values over many nodes, and the errors of silent ones have one sign, so they do not add up as
        squares. Between the prices of measurements the ratio to the prediction is interpolated, which decides much; so
        it is measured at the price of the best allocation too, until this price stays. Called before `best`.

        Args:
            elasticity: p, for the largest error that is of interest.
            measure: squared error at the output of a network with the codes of an allocation, as a share of the
                variance of the outputs.
        """
        least: float | None = None
        for price in PRICES:
            error = self._learn_code(self.at(price), measure)
            least = error if least is None else least
            if error > most_error(least, elasticity):
                break
        for _ in range(BEST_MEASURED):
            best = self.best(elasticity)
            if any(abs(_place(best.price) - _place(price)) < SAME_PRICE for price in self._measured):
                break
            self._learn_code(best, measure)

    def _learn_code(self, tried: Allocation, measure: Callable[[Allocation], float]) -> float:
        """Measured error at the output of an allocation, from which the ratio at its price is taken."""
        error = measure(tried)
        if tried.of_codes > 0:
            excess = error - (tried.error - tried.of_codes)
            self._measured[tried.price] = max(self._ratio(tried.price) * excess / tried.of_codes, 1.0)
        return error

    def _ratio(self, price: float) -> float:
        """Measured error of the codes of hidden populations over the predicted one."""
        if not self._measured:
            return 1.0
        prices = sorted(self._measured)
        measured = [self._measured[p] for p in prices]
        return float(np.interp(_place(price), [_place(p) for p in prices], measured))

    def learn(self, at: Allocation, error: float) -> None:
        """Take the error that pruning added to a calibrated network as that of other prices, scaled.

        Args:
            at: allocation of the network.
            error: predicted error at the output of all synapses that were removed.
        """
        of_entries = sum(chosen.removed.error for chosen in at.entries.values())
        self._pruned = (at.price or 1.0, max(error - of_entries, 0.0))

    def predicted(self, tried: Allocation) -> float:
        """Predicted error of an allocation with that of removed synapses, as far as it has been learnt."""
        price, error = self._pruned
        return tried.error + error * (tried.price / price) ** PRUNING_GROWTH

    def within(self, error: float, below: Allocation, least: float = LEAST_PRICE) -> Allocation:
        """The allocation of the largest price under that of `below` whose predicted error is at most `error`.

        Where no price leaves so little error, it is the one without a price. Called after `best`.

        Args:
            error: the largest error.
            below: an allocation with a larger one.
            least: smallest price above 0 that is tried.
        """
        cheaper = [tried for tried in self._tried if tried.price < below.price and self.predicted(tried) <= error]
        start = max(cheaper, key=lambda tried: tried.price, default=self._tried[0])
        low, high, best = start.price, below.price, start
        if low == 0:
            low = min(least, high / 16)
        for _ in range(HALVINGS):
            tried = self.at(float(np.sqrt(low * high)), start.codes)
            if self.predicted(tried) <= error:
                low, best = tried.price, tried
            else:
                high = tried.price
        return best

    def _cost(self, name: str, price: float, bits: int) -> OutputCost:
        """What errors and spikes with so many bits of payload cost in a stage."""
        of_spike = self._energy.per_spike[name] * self._energy.with_payload(bits)
        return OutputCost(self._sensitivity.values[name], price * of_spike)

    def _fit(self, name: str, cost: OutputCost, code: SingleSpikeCode) -> PricedFit:
        """λ, sides and silence of a stage with given levels."""
        few = cost.of_channels(self._channels[name])
        return fit_priced(self._values[name], few, code.levels(), self._candidates)

    def _candidates(self, values: ActivationValues, levels: Float) -> Candidates:
        """Candidates of one of the populations; the same levels come again with every price."""
        key = values, levels.tobytes()
        if key not in self._measured_codes:
            self._measured_codes[key] = Candidates.of(values, levels)
        return self._measured_codes[key]

    def _codebooks(self, price: float) -> dict[str, SingleSpikeCode]:
        codes: dict[str, SingleSpikeCode] = {}
        for group in groups(self._graph):
            if is_relative(group):
                code = relative_code(group, self._values, self._timesteps, self._payload_bits)
                codes.update({stage.name: code for stage in group})
                continue
            code = self._codebook(group, price)
            codes.update({stage.name: code for stage in group})
        return codes

    def _codebook(self, group: Sequence[Stage], price: float) -> SingleSpikeCode:
        """Levels of least cost of the stages of a group, with the number of bits of payload of least cost.

        More bits always mean less error, and where they cost nothing, or spikes cost nothing, all of them are taken.
        Otherwise bits are taken away as long as the cost falls.
        """
        names = [stage.name for stage in group if stage.name in self._values]
        found: tuple[float, SingleSpikeCode] | None = None
        most = payload_of(group, self._payload_bits)
        for bits in range(0 if most is None else most.bits, -1, -1):
            costs = {name: self._cost(name, price, bits) for name in names}
            few = [(self._values[name], cost.of_channels(self._channels[name])) for name, cost in costs.items()]
            code = fit_priced_codebook(few, self._timesteps, payload_of(group, bits), self._candidates)
            if most is None or price == 0 or self._energy.per_bit == 0:  # nothing to choose
                return code
            cost = sum(self._fit(name, costs[name], code).cost(costs[name].price) for name in names)
            if found is not None and cost >= found[0]:
                break
            found = cost, code
        assert found is not None
        return found[1]
