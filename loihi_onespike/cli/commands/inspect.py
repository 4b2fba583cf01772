"""onespike inspect: the content of a network file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from math import prod
from typing import Annotated

import typer
from rich.console import Console

from loihi_onespike.cli.arguments import inputs, options
from loihi_onespike.cli.command import Result, command
from loihi_onespike.conversion.options import option_infos
from loihi_onespike.errors import ConfigurationError


@command
def inspect(
    file: options.NetFile,
    layer: Annotated[str | None, typer.Option(metavar="NAME", help="Show details of one population.")] = None,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> Result:
    """Show populations, synapses, timing, head-room and conversion options of a network file; nothing is run.

    Example: onespike inspect net.h5 --layer relu1
    """
    import netx_export
    from loihi_onespike.cli.reports.describe import (
        show_layers,
        show_rewrites,
        show_timing,
    )
    from loihi_onespike.cli.reports.layer_details import show_layer
    from loihi_onespike.cli.terminal.output import show_facts, show_table, size_of
    from loihi_onespike.core.graphs.network_tables import layer_document, network_document, synapse_rows

    network = netx_export.read(inputs.existing(file))
    if layer is not None:
        if layer not in network.by_name:
            raise ConfigurationError(f"--layer: must be one of {', '.join(network.by_name)}, got {layer!r}")
        return Result(layer_document(network, layer), lambda console: show_layer(console, network, layer))

    def show(console: Console) -> None:
        neurons = sum(prod(p.shape) for p in network.hidden)
        rows = [
            ("file", f"{file} ({size_of(file)})"),
            ("spiking neurons", neurons),
            ("T", f"{network.timesteps} steps"),
        ]
        show_facts(console, network.name, rows)
        show_layers(console, network)
        columns = ("synapses", "from", "to", "map", "weights", "least", "most", "exp", "delay", "connections")
        synapses = [tuple(asdict(r).values()) for r in synapse_rows(network)]
        show_table(console, "Synapses (delay in steps)", columns, synapses, left=4)
        show_timing(console, network)
        made_with = network.facts.get("options")
        if isinstance(made_with, dict):
            show_facts(console, "Options of the conversion", [(k, _said(k, v)) for k, v in made_with.items()])
        config = network.facts.get("config")
        if isinstance(config, dict):
            show_facts(console, "Configuration of the run (onespike build)", list(_flat(config)))
        show_rewrites(console, network)

    return Result({**network_document(network), "file": str(file), "config": network.facts.get("config")}, show)


def _flat(config: Mapping[str, object], place: str = "") -> Iterator[tuple[str, object]]:
    """Names and values of tables within tables; the options of the conversion stand in a table of their own."""
    for name, value in config.items():
        if isinstance(value, dict):
            if name != "convert":
                yield from _flat(value, f"{place}{name}.")
        elif value is not None:
            yield f"{place}{name}", value


def _said(option: str, value: object) -> object:
    from loihi_onespike.core.graphs.network_tables import method_text

    if option == "method":
        return method_text(value)
    if value is None and option in option_infos():
        return option_infos()[option].none
    return value
