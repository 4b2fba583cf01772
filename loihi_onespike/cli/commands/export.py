"""onespike export: a network or its spikes for other tools."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from loihi_onespike.cli.arguments import inputs, options
from loihi_onespike.cli.arguments.groups import grouped
from loihi_onespike.cli.command import Result, command
from loihi_onespike.errors import ConfigurationError


@command
@grouped
def export(
    file: options.NetFile,
    source: options.Source,
    nir: Annotated[
        Path | None,
        typer.Option("--nir", metavar="FILE", help="Graph of NIR to write (.nir, HDF5); needs the extra nir."),
    ] = None,
    trace: Annotated[
        Path | None,
        typer.Option(
            "--trace",
            metavar="FILE",
            help="Code words and potentials of every layer on --images of --data, as arrays for numpy (.npz).",
        ),
    ] = None,
    neurobench: Annotated[
        Path | None,
        typer.Option(
            "--neurobench",
            metavar="FILE",
            help="Metrics of NeuroBench's harness on --images of --data (.json); needs the extra neurobench, and takes "
            "far longer than `evaluate`.",
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option("--data", metavar="DATA", help="Data for --trace and --neurobench.", rich_help_panel=options.DATA),
    ] = None,
    images: options.FewImages = 10,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> Result:
    """Export a network for NIR, its spikes for numpy, or its metrics in NeuroBench's harness.

    Every part of an export to NIR is rated: faithful, approximate (another reader needs the metadata) or unsupported;
    a network with unsupported parts is refused.

    Example: onespike export net.h5 --nir net.nir

    Example: onespike export net.h5 --trace spikes.npz --data test.npz --images 20
    """
    if nir is None and trace is None and neurobench is None:
        raise ConfigurationError("export: must name what to write: --nir, --trace or --neurobench FILE")
    if data is None and (trace is not None or neurobench is not None):
        raise ConfigurationError("--data: required with --trace and --neurobench, which run the network")
    inputs.existing(file)
    if data is not None:
        source.check(data)
    for path in (nir, trace, neurobench):
        if path is not None:
            inputs.writable(path)

    import loihi_onespike as los
    from loihi_onespike.cli.terminal.output import show_facts
    from loihi_onespike.json_text import json_text
    from loihi_onespike.neighbours.nir import write_nir
    from loihi_onespike.neighbours.nir_ratings import nir_ratings
    from loihi_onespike.regular_files import write_whole

    net = los.load(file)
    document: dict[str, object] = {"network": str(file)}
    ratings = nir_ratings(net.network) if nir is not None else ()
    if nir is not None:
        write_nir(net.network, nir)
        document["nir"] = {"file": str(nir), "parts": [asdict(rating) for rating in ratings]}
    if data is not None and (trace is not None or neurobench is not None):
        part = source.read(data).take(images)
        document["data"] = part.name
        if trace is not None:
            net.trace(part.images[:]).to_npz(trace)
            document["trace"] = {"file": str(trace), "images": len(part)}
        if neurobench is not None:
            from loihi_onespike.neighbours.neurobench import neurobench_metrics

            metrics = neurobench_metrics(net, part.images[:], part.labels)
            write_whole(neurobench, (json_text(metrics) + "\n").encode("utf-8"))
            document["neurobench"] = {"file": str(neurobench), "images": len(part), "metrics": metrics}

    def show(console: Console) -> None:
        if ratings:
            rows = [(f"{r.name}: {r.grade}", f"{r.node}; {r.reason}" if r.reason else r.node) for r in ratings]
            show_facts(console, "Parts of the network in NIR, and their nodes", rows)
        found = document.get("neurobench")
        if isinstance(found, dict):
            show_facts(console, f"NeuroBench, {found['images']} images", list(found["metrics"].items()))
        written = ", ".join(str(path) for path in (nir, trace, neurobench) if path is not None)
        console.print(f"Written: {written}", markup=False)

    return Result(document, show)
