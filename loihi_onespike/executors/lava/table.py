"""The table that `str(Network)` prints: one line per layer, what feeds it and when it starts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from loihi_onespike.core.graphs.network import InputPopulation, Network, Population, Synapse
from loihi_onespike.core.maps import Conv, Pool, Shape, Window
from loihi_onespike.core.maps.registry import MapRegistry

HEADER = ("Layer", "Type", "Shape", "From", "Map", "ker", "str", "pad", "dil", "grp", "delay", "base", "wait", "start")
GEOMETRY: MapRegistry[Callable[[Any], tuple[str, ...]]] = MapRegistry(
    "the geometry in the table of layers", __name__, otherwise="its columns stay empty"
)
"""describe(op): kernel, stride, padding, dilation and groups."""


def layer_table(network: Network) -> str:
    """Columns aligned; a second synapse onto a layer has a line of its own."""
    rows: list[tuple[str, ...]] = [HEADER]
    for population in network.populations:
        start = str(network.starts[population.name])
        base = "" if not isinstance(population, (InputPopulation, Population)) else str(population.code)
        kind = "input" if isinstance(population, InputPopulation) else population.kind
        head = (population.name, kind, _dims(population.shape))
        tail = (base, str(population.wait), start)
        for synapse in tuple(network.synapses_onto(population.name)) or (None,):
            rows.append((*head, *_synapse(synapse), *tail))
            head, tail = ("", "", ""), ("", "", "")
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADER))]
    lines = (" | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(f"| {line} |" for line in lines)


def _synapse(synapse: Synapse | None) -> tuple[str, ...]:
    if synapse is None:
        return ("",) * 8
    op = synapse.op
    gathered = " of gather" if synapse.index is not None else ""
    name = type(op).__name__ + gathered
    describe = GEOMETRY.find(op)
    geometry = ("",) * 5 if describe is None else describe(op)
    source = f"{synapse.pre} (second factor)" if synapse.factor else synapse.pre
    return (source, name, *geometry, str(synapse.axon_delay))


@GEOMETRY.register(Pool)
def _pool(op: Pool) -> tuple[str, ...]:
    return (*_window(op.window), "")


@GEOMETRY.register(Conv)
def _conv(op: Conv) -> tuple[str, ...]:
    return (*_window(op.window), str(op.groups))


def _window(window: Window) -> tuple[str, ...]:
    padding = ",".join(str(lo) if lo == hi else f"{lo}+{hi}" for lo, hi in window.padding)
    return (_dims(window.kernel), _dims(window.stride), padding, _dims(window.dilation))


def _dims(values: Shape) -> str:
    return ",".join(map(str, values))
