"""An estimate as JSON-compatible values, every figure with unit, status and source."""

from __future__ import annotations

from dataclasses import asdict

from loihi_onespike.boards.energy.account import EnergyAccount
from loihi_onespike.boards.energy.estimate import BoardEstimate
from loihi_onespike.boards.energy.figures import Figure
from loihi_onespike.evaluation.alpha import FP32, INT8


def figure_document(figure: Figure) -> dict[str, object]:
    """One figure as an object with value, ends of its range, unit, status and source."""
    return {
        "value": figure.value,
        "low": figure.least,
        "high": figure.largest,
        "unit": figure.unit,
        "status": figure.status,
        "source": figure.source,
    }


def estimate_document(estimate: BoardEstimate) -> dict[str, object]:
    """The whole estimate as an object."""
    paper = estimate.paper
    return {
        "network": estimate.network,
        "board": estimate.board,
        "chip": estimate.chip,
        "measured_on_a_board": False,
        "images": estimate.images,
        "fits": estimate.fits,
        "cores": estimate.cores,
        "chips": estimate.chips,
        "period_steps": estimate.period_steps,
        "latency_steps": estimate.latency_steps,
        "counts": {f.name: figure_document(f) for f in estimate.counts},
        "time": {
            **{f.name: figure_document(f) for f in _times(estimate)},
            "rule": estimate.time.rule,
            "bound_by": estimate.time.bound_by,
            "steps_ns": estimate.time.steps_ns,
            "steps_low_ns": estimate.time.low_ns,
            "steps_high_ns": estimate.time.high_ns,
            "left_out": list(estimate.time.left_out),
            "prices": {p.name: figure_document(p) for p in estimate.time.prices},
        },
        "energy_per_image": [_account(a) for a in estimate.accounts],
        "paper": None
        if paper is None
        else {
            "alpha_fp32": paper.alpha(FP32),
            "alpha_int8": paper.alpha(INT8),
            "alpha_all_fp32": paper.alpha_all(FP32),
            "alpha_all_int8": paper.alpha_all(INT8),
            "additions_per_mac": paper.additions_per_mac,
            "additions_per_spike": paper.additions_per_spike,
            "macs": paper.macs,
            "source": "arXiv 2403.08786 Eq. 6; Horowitz, ISSCC 2014, 45 nm",
        },
        "break_even_synaptic_operations": {b.precision: b.break_even_operations for b in estimate.balances},
        "when_the_snn_loses": list(estimate.sentences),
        "layers": [asdict(layer) for layer in estimate.layers],
        "notes": list(estimate.notes),
    }


def _times(estimate: BoardEstimate) -> tuple[Figure, ...]:
    return estimate.images_per_s, estimate.latency_us, estimate.step_us, estimate.image_us


def _account(account: EnergyAccount) -> dict[str, object]:
    figures = {
        "synaptic_operations": account.synaptic,
        "neuron_updates": account.updates,
        "spikes_and_hops": account.hops,
        "dynamic": account.dynamic,
        "static_least": account.static_low,
        "static_most": account.static_high,
        "total_least": account.low,
        "total_most": account.high,
    }
    return {
        "table": account.table,
        "estimated_with_another_chip": account.estimated,
        **{name: figure_document(figure) for name, figure in figures.items()},
        "static_share": account.static_share,
        "left_out": list(account.left_out),
    }
