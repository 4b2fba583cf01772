"""How the event kernels of the fast executor read the code words of a population."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.codes import BinaryCode, Code, SingleSpikeCode
from loihi_onespike.core.graphs.network import InputPopulation, Population, Readout, Synapse
from loihi_onespike.core.registry import EntryRegistry

CODE_BITS: EntryRegistry[Callable[[Any], int]] = EntryRegistry("the event kernels", __name__)
"""Entries bits(code): number of bits of code words in which every set bit is a spike, 0 for codes of one spike."""

CODE_BITS.add(BinaryCode, lambda code: code.bits)
CODE_BITS.add(SingleSpikeCode, lambda code: 0)


def code_bits(code: Code) -> int:
    """Bits of the code words (see CODE_BITS); raises MissingEntryError for a code without an entry."""
    return CODE_BITS[code](code)


def graded(population: Population | Readout, inputs: list[tuple[Synapse, InputPopulation | Population]]) -> bool:
    """Whether a population sends or receives messages other than ±1, which the kernels do not compute.

    Args:
        population: the population.
        inputs: groups of synapses onto it and the populations that they read.
    """
    sends = isinstance(population, Population) and population.code.payload_bits > 0
    return sends or any(pre.code.payload_bits for _, pre in inputs)


def kernel_codes(codes: NDArray[np.integer], code: Code) -> NDArray[np.integer]:
    """Code words or phases in the type that the kernels read: int16, or int32 for code words of 16 bits.

    Nearly all codes share one type, so that a kernel is compiled only once.
    """
    return codes.astype(np.int32 if code_bits(code) > 15 else np.int16, copy=False)
