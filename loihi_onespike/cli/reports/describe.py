"""The tables of a network that `convert` and `inspect` print."""

from __future__ import annotations

from rich.console import Console

from loihi_onespike.cli.terminal.output import shape_of, show_facts, show_table
from loihi_onespike.core.codes import V_BITS
from loihi_onespike.core.graphs.network import Network
from loihi_onespike.core.graphs.network_tables import layer_rows, rewrites


def show_layers(console: Console, network: Network) -> None:
    """Print the table of populations."""
    columns = ("layer", "kind", "shape", "neurons", "base", "T", "wait", "first step", f"v bits of {V_BITS}", "worst")
    rows = layer_rows(network)
    cells = [
        (
            r.name,
            r.kind,
            shape_of(r.shape),
            r.neurons,
            r.code,
            r.timesteps,
            r.wait_steps,
            r.first_step,
            r.v_bits,
            r.v_worst_bits,
        )
        for r in rows
    ]
    show_table(console, "Populations (T, wait and first step in time steps)", columns, cells, left=3)
    if any(r.v_worst_bits is not None and r.v_worst_bits > V_BITS for r in rows):
        console.print(
            f"v bits: width that the calibration images reached. worst: width that the weights allow; beyond {V_BITS} "
            "bits v saturates.\n"
        )


def show_rewrites(console: Console, network: Network) -> None:
    """Print the notes of the conversion: layers that were folded, moved or replaced, and precision that was reduced."""
    notes = rewrites(network)
    if notes:
        console.print("Rewritten by the conversion", style="bold")
        for line in notes:
            console.print(f"  {line}", markup=False)
        console.print()


def show_timing(console: Console, network: Network) -> None:
    """Print latency and period in time steps."""
    rows = [
        ("latency", f"{network.latency_steps} steps from the first input phase to the decision"),
        ("period", f"{network.period_steps} steps between two images in the pipeline"),
    ]
    show_facts(console, "Timing", rows)
