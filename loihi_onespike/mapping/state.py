"""Rows of neuron state: the one place that knows what a one-spike neuron keeps on a core."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from loihi_onespike.ir.network import Population, Readout

ROW_BITS = 64
FIELD_BITS = (8, 16, 24)
"""Widths of a field of neuron state [P Intel technology brief 2021]."""
V_FIELD, THRESHOLD_FIELD, BIAS_FIELD, FLAGS_FIELD = 24, 24, 24, 8


def pack_rows(fields_bits: Sequence[int]) -> int:
    """Rows of 64 bits that fields of 8, 16 or 24 bits fill, first fit, the widest first; a field never straddles."""
    free: list[int] = []
    for bits in sorted(fields_bits, reverse=True):
        if bits not in FIELD_BITS:
            raise ValueError(f"state field of {bits} bits, supported {FIELD_BITS}")
        for row, room in enumerate(free):
            if room >= bits:
                free[row] -= bits
                break
        else:
            free.append(ROW_BITS - bits)
    return len(free)


def state_rows(population: Population | Readout) -> int:
    """Rows per neuron: v (24 bits), threshold (24) and flags (8) of a spiking neuron, bias (24).

    A threshold or a bias that is one number for the whole population is a constant of the program and takes no state.
    A readout has no threshold and never fires. So 1 row without a bias per neuron, 2 with one [I].
    """
    fields = [V_FIELD]
    if isinstance(population, Population):
        fields.append(FLAGS_FIELD)
        if not _is_one_number(population.threshold):
            fields.append(THRESHOLD_FIELD)
    if not _is_one_number(population.membrane.bias):
        fields.append(BIAS_FIELD)
    return pack_rows(fields)


def _is_one_number(values: np.ndarray) -> bool:
    return bool(values.size == 1 or np.all(values == values.flat[0]))
