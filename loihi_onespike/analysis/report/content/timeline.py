"""Section on the pipeline: when every population listens, waits and sends."""

from __future__ import annotations

from typing import Any

from loihi_onespike.analysis.report.content.measured_spikes import MeasuredSpikes
from loihi_onespike.analysis.report.content.subject import Section
from loihi_onespike.core.graphs.network import AnyPopulation, InputPopulation, Network, Readout


def timeline_section(measured: MeasuredSpikes) -> Section:
    """Windows of the first image in global steps, where the first input phase is step 1, and the period."""
    network = measured.network
    return {
        "latency_steps": network.latency_steps,
        "period_steps": network.period_steps,
        "images": measured.activity.images,
        "populations": [_window(network, p, measured) for p in network.populations],
    }


def _window(network: Network, p: AnyPopulation, measured: MeasuredSpikes) -> dict[str, Any]:
    start = network.starts[p.name]
    listens = None if isinstance(p, InputPopulation) else [start + 1, start + p.input_steps]
    sends = None if isinstance(p, Readout) else [start + p.wait + 1, start + p.wait + p.timesteps]
    spikes = [] if isinstance(p, Readout) else measured.activity.mean(p.name).reshape(p.timesteps, -1).sum(axis=1)
    return {
        "name": p.name,
        "kind": "input" if isinstance(p, InputPopulation) else p.kind,
        "listens": listens,
        "wait_steps": p.wait,
        "sends": sends,
        "hops": [{"from": s.pre, "steps": 1 + s.axon_delay} for s in network.synapses_onto(p.name)],
        "spikes": [float(n) for n in spikes],
    }
