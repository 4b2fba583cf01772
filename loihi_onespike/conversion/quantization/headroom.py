"""Widths of the integers of a population: on calibration data, and in the worst case (docs/arithmetic.md, Integers)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from loihi_onespike.core.codes import V_BITS, signed_bits
from loihi_onespike.core.graphs.network import InputPopulation, Membrane, Population, Readout, Synapse
from loihi_onespike.core.trace import LayerTrace


@dataclass(frozen=True)
class Headroom:
    """Widths in bits, sign included, of the integers of a population.

    Attributes:
        v_bits: width of the largest |v| on the calibration data.
        v_worst_bits: width of the largest |v| that the weights allow.
        input_bits: width of the largest input sum of a step on the calibration data.
        input_worst_bits: width of the largest input sum that the weights allow.
        saturating: the worst case of v needs more than 24 bits; v would then saturate.
        given_up_bits: bits by which the precision of all weights of the layer was reduced so that v fits.
    """

    v_bits: int
    v_worst_bits: int
    input_bits: int
    input_worst_bits: int
    saturating: bool
    given_up_bits: int

    @classmethod
    def of(
        cls,
        population: Population | Readout,
        synapses: Iterable[Synapse],
        populations: Mapping[str, InputPopulation | Population],
        trace: LayerTrace,
        weight_bits: int,
    ) -> Headroom:
        """The widths of a population.

        Args:
            population: the population.
            synapses: groups of synapses onto it.
            populations: populations that the synapses read, by name.
            trace: trace of the population on calibration images.
            weight_bits: width of the weights that the options ask for.
        """
        synapses = list(synapses)
        v_worst, input_worst = worst_case_bits(population, synapses, populations)
        magnitudes = [np.abs(s.op.weight_values) for s in synapses if not s.op.single_weight]
        # Weights of one magnitude are exact with one integer step.
        widest = max((int(m.max()) for m in magnitudes if m.size and m.max() != m.min()), default=0)
        full = 2 * (2 ** (weight_bits - 1) - 1)
        # The powers of two that keep messages of a pooling window apart are no rounded weights.
        digits = isinstance(population, Population) and population.digit_bits > 0
        given_up = int(np.log2(full / widest)) if widest and not digits else 0
        peak, input_peak = signed_bits(trace.peak), signed_bits(trace.input_peak)
        return cls(peak, v_worst, input_peak, input_worst, v_worst > V_BITS, given_up)


def worst_case_bits(
    population: Population | Readout,
    synapses: Iterable[Synapse],
    populations: Mapping[str, InputPopulation | Population],
) -> tuple[int, int]:
    """Bits, sign included, of the largest |v| and of the largest per-step input sum that the weights allow.

    In a product they are those of the wider factor.

    Every neuron sends its largest message once at the worst moment: the first phase for v, all at the same phase for
    the sum; an input in digits spikes in every phase.

    Args:
        population: the population.
        synapses: groups of synapses onto it.
        populations: populations that the synapses read, by name.
    """
    synapses = list(synapses)
    found = [
        _worst_case(membrane, [s for s in synapses if s.factor == i], populations)
        for i, membrane in enumerate(population.membranes)
    ]
    return max(v for v, _ in found), max(per_step for _, per_step in found)


def _worst_case(
    membrane: Membrane, synapses: Iterable[Synapse], populations: Mapping[str, InputPopulation | Population]
) -> tuple[int, int]:
    later = membrane.gain / membrane.gains[1:]  # growth of a spike of each input step until the end
    per_step, weighted = 0.0, 0.0
    for synapse in synapses:
        pre = populations[synapse.pre]
        magnitude = synapse.op.row_magnitude * 2.0**synapse.weight_exp * pre.code.largest_message
        per_step += magnitude
        weighted += magnitude * float(later.sum() if pre.code.multi_spike else later[0])
    bias = float(np.abs(membrane.bias).max(initial=0))
    v = weighted * 2**membrane.input_shift + bias * membrane.gain
    return signed_bits(int(np.ceil(v))), signed_bits(int(np.ceil(per_step)))
