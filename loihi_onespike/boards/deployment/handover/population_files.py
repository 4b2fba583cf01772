"""What one population loads: its program as a listing, constants, layout and first values of its state."""

from __future__ import annotations

import io

import numpy as np

from loihi_onespike.boards.mapping.placement import Placement
from loihi_onespike.core.graphs.network import Network, Population, Readout
from loihi_onespike.microcode import initial_state, program_of
from loihi_onespike.microcode.microcode_spec import DEFAULT_SPEC


def listing(network: Network, population: Population | Readout) -> str:
    """The program as text.

    Args:
        network: The network.
        population: One of its populations.
    """
    return program_of(population, network.period_steps).listing() + "\n"


def description(network: Network, population: Population | Readout, placement: Placement | None) -> dict[str, object]:
    """Constants, state and place of a population, as JSON-compatible values.

    Args:
        network: The network.
        population: One of its populations.
        placement: The cores; None where it was not mapped.
    """
    program = program_of(population, network.period_steps)
    product = population.product if isinstance(population, Population) else None
    graded = isinstance(population, Population) and population.message_bits > 0
    return {
        "name": population.name,
        "shape": list(population.shape),
        "neurons": int(np.prod(population.shape)),
        "sends_spikes": isinstance(population, Population),
        "message_bits": (DEFAULT_SPEC.message_bits if graded else 0) if isinstance(population, Population) else None,
        "start_step": network.starts[population.name],
        "wait": population.wait,
        "constants": dict(program.constants),
        "state": [
            {"field": f.name, "bits": f.bits, "row": f.row, "lowest_bit": f.offset} for f in program.layout.fields
        ],
        "rows": program.layout.rows,
        "product_shift": product.shift if product is not None else None,
        "cores": [] if placement is None else _cores(placement, population.name),
    }


def _cores(placement: Placement, name: str) -> list[dict[str, object]]:
    """The blocks of neurons that our mapping puts on a core each [I]."""
    placed = [placement.cores[i] for i in placement.by_layer[name]]
    return [
        {"chip": c.chip, "core": c.core, "first": list(c.block.low), "after_last": list(c.block.high)} for c in placed
    ]


def first_state(network: Network, population: Population | Readout) -> str:
    """Values of all fields before step 1, and the packed rows, one line per neuron, as CSV.

    Args:
        network: The network.
        population: One of its populations.
    """
    layout = program_of(population, network.period_steps).layout
    state = initial_state(population, network.starts[population.name], network.period_steps)
    rows = [layout.pack_row(row, state) for row in range(layout.rows)]
    out = io.StringIO()
    out.write(",".join(["neuron", *state, *(f"row_{i}" for i in range(layout.rows))]) + "\n")
    for neuron in range(len(rows[0])):
        fields = (str(int(values[neuron])) for values in state.values())
        packed = (f"0x{int(row[neuron]):016x}" for row in rows)
        out.write(",".join([str(neuron), *fields, *packed]) + "\n")
    return out.getvalue()
