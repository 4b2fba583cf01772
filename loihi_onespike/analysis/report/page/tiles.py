"""The figures at the top of the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from loihi_onespike.analysis.report.page.html_tables import amount, interval, number


@dataclass(frozen=True)
class Tile:
    """One figure of the summary.

    Attributes:
        label: what it is.
        value: the figure.
        detail: interval, unit or condition.
        section: key of the section that it comes from.
    """

    label: str
    value: str
    detail: str
    section: str


def tiles_of(document: Mapping[str, Any]) -> list[Tile]:
    """The most important figures of the sections that are there."""
    return [*_accuracy(document["accuracy"]), *_time(document["conversion"]), *_board(document)]


def _accuracy(section: Mapping[str, Any]) -> Iterator[Tile]:
    if "missing" in section:
        return
    a = section["accuracy"]
    yield Tile("accuracy", f"{100 * a['value']:.2f} %", f"{interval(a)} on {a['total']:,} images", "accuracy")
    if section["ann_accuracy"] is not None:
        ann, agreed = section["ann_accuracy"], section["agreement"]
        yield Tile(
            "loss against the ANN", f"{section['loss_pp']:+.2f} pp", f"ANN {100 * ann['value']:.2f} %", "accuracy"
        )
        yield Tile("same class as the ANN", f"{100 * agreed['value']:.2f} %", interval(agreed), "accuracy")
    yield Tile(
        "spikes per neuron", f"{section['hidden_spikes_per_neuron']:.3f}", "hidden neurons, per image", "accuracy"
    )
    if section["alpha_int8"] is not None:
        yield Tile("α INT8", number(section["alpha_int8"], 3), f"FP32 {number(section['alpha_fp32'], 3)}", "energy")


def _time(section: Mapping[str, Any]) -> Iterator[Tile]:
    yield Tile(
        "latency", f"{section['latency_steps']} steps", f"an image every {section['period_steps']} steps", "timeline"
    )


def _board(document: Mapping[str, Any]) -> Iterator[Tile]:
    board, energy = document["board"], document["energy"]
    if "missing" in board:
        return
    name, chips = board["board"]["name"], board["chips"]
    fits = "" if board["fits"] else ", does not fit"
    yield Tile("cores", f"{board['cores']:,}", f"{chips} chip{'s' * (chips != 1)} of {name}{fits}", "board")
    rate = energy["time"]["images per second"]["value"]
    if rate is not None:
        yield Tile("images per second", number(rate), "at most, estimated", "energy")
    account = energy["energy_per_image"][-1]
    least, most = account["total_least"]["value"], account["total_most"]["value"]
    if least is not None:
        borrowed = "with Loihi 1's prices" if account["estimated_with_another_chip"] else "estimated"
        to = f"to {amount(most, 'nJ')}, " if most != least else ""
        yield Tile("energy per image", amount(least, "nJ"), f"{to}{borrowed}", "energy")
