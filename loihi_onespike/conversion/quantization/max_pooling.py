"""Max pooling as neurons that pass on the first spike of their window (docs/arithmetic.md, The neuron).

Without payload the first spike reaches the threshold, whichever neuron sends it. With payload the neurons of a window
have a digit of v each, and the largest digit is compared with the messages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from loihi_onespike.core.codes import LEAK_SHIFT, ThresholdTable
from loihi_onespike.core.graphs.network import InputPopulation, Membrane, Population, Synapse
from loihi_onespike.core.graphs.stage import OutputStage, Stage, StagePlan
from loihi_onespike.core.graphs.verify_network import LARGEST_POWER, MAX_WEIGHT_EXP, digit_of_window
from loihi_onespike.core.maps import Diagonal, Shape
from loihi_onespike.core.maps.connectivity import synapse_matrix
from loihi_onespike.core.maps.pool import as_pool
from loihi_onespike.errors import GraphError


def synapse_name(stage: Stage | OutputStage, i: int) -> str:
    """Name of the synapse group of link i."""
    return stage.name if len(stage.links) == 1 else f"{stage.name}.{i}"


def max_pooling(
    stage: Stage, plan: StagePlan, populations: Mapping[str, InputPopulation | Population], input_steps: int
) -> tuple[Population, list[Synapse]]:
    """Population without gain and wait, and the synapses onto it.

    Args:
        stage: a stage of kind max_pool.
        plan: its plan, with the code of the populations that it reads.
        populations: what it reads, by name.
        input_steps: phases of its input.

    Raises:
        GraphError: the window is too large for the messages of the code.
    """
    messages = plan.code.messages
    membrane = Membrane((2**LEAK_SHIFT,) * input_steps, 0, np.zeros((), np.int64), np.ones(()))
    threshold = 1 if plan.code.payload_bits else 2
    population = Population(
        stage.name, stage.shape, "max_pool", membrane, 0, plan.code, np.array(threshold, np.int64),
        ThresholdTable.of_messages(messages), None, plan.scale,
    )  # fmt: skip
    ops = [as_pool(link.op, stage.name) for link in stage.links]
    if not plan.code.payload_bits:
        return population, [
            Synapse(synapse_name(stage, i), link.pre, stage.name, op.with_weight(np.array(2, np.int16)), link.index)
            for i, (link, op) in enumerate(zip(stage.links, ops, strict=True))
        ]
    ones = [
        synapse_matrix(op.with_weight(np.array(1, np.int16)), populations[link.pre].shape, link.index)
        for link, op in zip(stage.links, ops, strict=True)
    ]
    pres = [link.pre for link in stage.links]
    return population, digit_synapses(stage.name, stage.shape, population.digit_bits, pres, ones)


def digit_synapses(
    name: str, shape: Shape, bits: int, pres: Sequence[str], reads: Sequence[sp.csr_matrix]
) -> list[Synapse]:
    """Synapse groups that give every neuron of a window a digit of v of its own.

    The first neuron that a pooling neuron reads has the weight 2, the next one 2^(1 + d), and so on, with d the bits of
    a digit. Every group holds one neuron of each window.

    Args:
        name, shape: of the pooling population.
        bits: d, bits of the largest message.
        pres: names of the populations that it reads.
        reads: (neurons, neurons of the population read) nonzero where a neuron reads another, one matrix each.

    Raises:
        GraphError: the weights of the last digit would be too large.
    """
    entries = sp.hstack(reads).tocsr()
    entries.sort_indices()
    most = int(np.diff(entries.indptr).max(initial=1))
    if 1 + bits * (most - 1) > LARGEST_POWER:
        fits = digit_of_window(most)
        raise GraphError(
            f"{name}: max pooling of {most} neurons can hold messages of at most {fits} bits beside each other, got "
            f"{bits}; limit those of the populations that it reads to {2**fits - 1}, or use no payload there"
        )
    rows = np.repeat(np.arange(entries.shape[0]), np.diff(entries.indptr))
    digit = np.arange(entries.nnz) - entries.indptr[rows]
    first = np.cumsum([0, *(m.shape[1] for m in reads)])
    found = []
    for pre, low, high in zip(pres, first[:-1], first[1:], strict=True):
        own = (entries.indices >= low) & (entries.indices < high)
        for d in np.unique(digit[own]):
            chosen = own & (digit == d)
            index = np.full(entries.shape[0], -1, np.int32)
            index[rows[chosen]] = entries.indices[chosen] - low
            found.append((pre, index.reshape(shape), 1 + bits * int(d)))
    return [
        Synapse(name if len(found) == 1 else f"{name}.{i}", pre, name, *_power_of_two(power, shape, index))
        for i, (pre, index, power) in enumerate(found)
    ]


def _power_of_two(power: int, shape: Shape, index: NDArray[np.int32]) -> tuple[Diagonal, NDArray[np.int32], int]:
    """Map, gather and weight exponent of synapses of weight 2^power."""
    exponent = min(power - 1, MAX_WEIGHT_EXP)
    return Diagonal(np.full((1,) * len(shape), 2 ** (power - exponent), np.int16)), index, exponent
