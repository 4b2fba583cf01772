"""Worst case of the integers a population can meet (contract section 3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from loihi_onespike.coding import BinaryCode, signed_bits
from loihi_onespike.ir.network import InputPopulation, Population, Readout, Synapse
from loihi_onespike.sim.maps import row_magnitude


def worst_case_bits(
    population: Population | Readout,
    synapses: Iterable[Synapse],
    populations: Mapping[str, InputPopulation | Population | Readout],
) -> tuple[int, int]:
    """Bits, sign included, of the largest |v| and of the largest per-step input sum that the weights allow.

    Every neuron spikes once at the worst moment: the first phase for v, all at the same phase for the sum; a binary
    coded input spikes in every phase.
    """
    membrane = population.membrane
    later = membrane.gain / membrane.gains[1:]  # what a spike of each input step grows by until the end
    per_step, weighted = 0.0, 0.0
    for synapse in synapses:
        pre = populations[synapse.pre]
        magnitude = row_magnitude(synapse.op) * 2.0**synapse.weight_exp
        per_step += magnitude
        many = isinstance(pre, InputPopulation) and isinstance(pre.code, BinaryCode)
        weighted += magnitude * float(later.sum() if many else later[0])
    bias = float(np.abs(membrane.bias).max(initial=0))
    v = weighted * 2**membrane.input_shift + bias * membrane.gain
    return signed_bits(int(np.ceil(v))), signed_bits(int(np.ceil(per_step)))
