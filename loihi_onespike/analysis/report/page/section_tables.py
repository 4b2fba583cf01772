"""From the sections of the document to their tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loihi_onespike.analysis.report.page.html_tables import (
    Cell,
    HtmlTable,
    amount,
    cell,
    figure,
    interval,
    number,
    percent,
    sourced,
    table,
)

Document = Mapping[str, Any]
ACCURACIES = (("ann_accuracy", "ANN"), ("accuracy", "one-spike network"), ("agreement", "same class as the ANN"))

REMEDIES = 5
"""Remedies that the page shows at once."""


def tables_of(document: Document) -> dict[str, list[HtmlTable]]:
    """The tables of every section that is there, by its key."""
    made = {
        "conversion": _conversion,
        "accuracy": _accuracy,
        "errors": _errors,
        "spikes": _spikes,
        "timeline": _timeline,
        "board": _board,
        "energy": _energy,
        "tuning": _tuning,
    }
    return {key: make(document[key]) for key, make in made.items() if "missing" not in document[key]}


def _conversion(section: Document) -> list[HtmlTable]:
    bits = section["headroom"]
    layers = table(
        "Populations",
        ("population", "kind", "shape", "neurons", "base", "T", "wait", "first step", "v bits", "v bits at worst"),
        [
            (y["name"], y["kind"], y["shape"], y["neurons"], y["code"], y["timesteps"], y["wait_steps"],
             y["first_step"], y["v_bits"], y["v_worst_bits"])
            for y in section["layers"]
        ],
        "T, wait and first step in time steps; ~ marks the mean gain of fitted levels. v has 24 bits: the calibration "
        "images reached v bits, the weights allow v bits at worst, and v saturates beyond 24.",
    )  # fmt: skip
    synapses = table(
        "Synapses",
        ("synapses", "from", "to", "map", "weights", "least", "most", "exponent", "delay", "connections"),
        [
            tuple(s[k] for k in ("name", "pre", "post", "map", "weights", "smallest", "largest", "weight_exp",
                                 "delay_steps", "synapses"))
            for s in section["synapses"]
        ],
        folded=True,
    )  # fmt: skip
    options = table(
        "Options of the conversion",
        ("option", "value"),
        [(k, "full" if k == "wait" and v is None else v) for k, v in section["options"].items()],
        folded=True,
    )
    reduced = [(name, h["given_up_bits"]) for name, h in bits.items() if h.get("given_up_bits")]
    lost = table("Precision that was given up so that v fits", ("population", "bits"), reduced)
    return [layers, *([lost] if reduced else []), synapses, options]


def _accuracy(section: Document) -> list[HtmlTable]:
    rows = [
        (name, percent(a["value"]), interval(a), a["correct"], a["total"])
        for key, name in ACCURACIES
        if (a := section[key]) is not None
    ]
    first = table(
        "Shares of the images", ("", "share", "95 % interval", "images", "of"), rows, "Wilson score intervals."
    )
    figures = [
        ("loss", None if section["loss_pp"] is None else f"{section['loss_pp']:+.2f} percentage points"),
        ("spikes per hidden neuron and image", Cell(f"{section['hidden_spikes_per_neuron']:.3f}")),
        ("synaptic operations per image", section["synaptic_operations"]),
        ("… with weights other than 0", section["nonzero_operations"]),
        ("α FP32 (Eq. 6)", section["alpha_fp32"]),
        ("α INT8 (Eq. 6)", section["alpha_int8"]),
        ("α FP32, additions of weights of 0 counted", section["alpha_all_fp32"]),
        ("α INT8, additions of weights of 0 counted", section["alpha_all_int8"]),
        ("latency in steps", section["latency_steps"]),
        ("period in steps", section["period_steps"]),
        ("input values outside the calibrated range", section["clipped_inputs"]),
    ]
    costs = [
        (
            p["name"],
            p["neurons"],
            Cell(f"{p['spikes_per_neuron']:.3f}", p["spikes_per_neuron"]),
            *_price(p),
            p["updates"],
        )
        for p in section["populations"]
    ]
    return [
        first,
        table("Figures of the evaluation", ("", "value"), figures),
        table(
            "Spikes and costs of the populations, per image",
            ("population", "neurons", "spikes per neuron", "spikes", "synops", "additions", "energy", "updates"),
            costs,
            f"Energy on {section['board']}: {section['energy_source']}.",
            folded=True,
        ),
    ]


def _errors(section: Document) -> list[HtmlTable]:
    whole = section["whole"]

    def share(value: float) -> Cell:
        return percent(value / whole if whole else 0.0, 1)

    causes = table(
        "Causes, in the whole network",
        ("cause", "alone", "gain", "±"),
        [(c["name"], share(c["alone"]), share(c["loss"]), share(c["uncertainty"])) for c in section["causes"].values()],
        "In per cent of the network's error. Alone: the cause on in the ANN. Gain: the cause off in the network.",
    )
    costs, names = {c["name"]: c for c in section["costs"]}, list(section["causes"])
    layers = table(
        "Populations: error, causes and price",
        ("population", *(section["causes"][c]["name"] for c in names), "all", "gain", "±", "spikes", "synops",
         "additions", "energy"),
        [
            (
                y["name"],
                *(share(y["causes"][c]["alone"]) if c in y["causes"] else None for c in names),
                share(y["total"]["alone"]), share(y["total"]["loss"]), share(y["total"]["uncertainty"]),
                *_price(costs[y["name"]]),
            )
            for y in section["layers"]
        ],
        "Price per image: spikes that a population sends, synaptic operations that they cause, additions of α, and the "
        "energy of these operations, its messages and its updates at the prices of the board, as onespike diagnose "
        "--board states it. Hops between tiles and static power are not part of it.",
    )  # fmt: skip
    ranked = sorted(section["layers"], key=lambda y: -y["total"]["alone"])
    said = ((y, y["remedy"].removeprefix(f"{y['name']}: ")) for y in ranked if y["remedy"])
    rows = [(y["name"], share(y["total"]["alone"]), remedy) for y, remedy in said]
    columns = ("population", "its error", "what helps")
    remedies = [table("Remedies for the largest errors", columns, rows[:REMEDIES])]
    if len(rows) > REMEDIES:
        remedies.append(table("Further remedies", columns, rows[REMEDIES:], folded=True))
    return [layers, causes, *remedies]


def _price(price: Document) -> tuple[Any, ...]:
    energy = price["energy_nj"]
    return (
        price["spikes_per_neuron"] * price["neurons"],
        price["synaptic_operations"],
        price["additions"],
        None if energy is None else Cell(amount(energy, "nJ"), energy),
    )


def _spikes(section: Document) -> list[HtmlTable]:
    rows = [
        (p["name"], p["neurons"], sum(p["mean_spikes"]), sum(p["mean_spikes"]) / p["neurons"])
        for p in section["populations"]
    ]
    columns = ("population", "neurons", "spikes per image", "per neuron")
    note = f"Means over {section['counted_images']} images."
    return [table("Spikes by population", columns, rows, note, folded=True)]


def _timeline(section: Document) -> list[HtmlTable]:
    def span(ends: list[int] | None) -> Cell:
        return Cell("–") if ends is None else Cell(f"{ends[0]} – {ends[1]}", ends[0])

    rows = [
        (
            p["name"],
            p["kind"],
            span(p["listens"]),
            p["wait_steps"],
            span(p["sends"]),
            Cell(", ".join(f"{h['from']} ({h['steps']})" for h in p["hops"]) or "–"),
        )
        for p in section["populations"]
    ]
    columns = ("population", "kind", "input steps", "wait", "sends at steps", "hears from (steps of the hop)")
    return [table("Windows of the first image, in global steps", columns, rows, folded=True)]


def _board(section: Document) -> list[HtmlTable]:
    fullest = [
        (
            name.replace("_", " "),
            u["used"],
            u["limit"],
            percent(u["used"] / u["limit"]) if u["limit"] else Cell("unknown"),
            sourced(u),
        )
        for name, u in section["utilisation"].items()
    ]
    used = [name for name, u in section["utilisation"].items() if u["used"] and name != "neuron_groups"]
    layers = [
        (y["layer"], y["shape"], y["block"], y["cores"], len(y["chips"]), *(y["fullest"][r] for r in used))
        for y in section["layers"]
    ]
    columns = ("population", "shape", "block", "cores", "chips", *(r.replace("_", " ") for r in used))
    return [
        table("Fullest core", ("resource", "used", "limit", "share", "source of the limit"), fullest, folded=True),
        table("Populations on the board", columns, layers, "Words of 64 bits on the fullest core.", folded=True),
    ]


def _energy(section: Document) -> list[HtmlTable]:
    found = [
        table(
            f"Energy per image: {account['table']}",
            ("", "energy", "source"),
            [
                (name.replace("_", " "), figure(account[name]), sourced(account[name]))
                for name in ("synaptic_operations", "neuron_updates", "spikes_and_hops", "dynamic", "static_least",
                             "static_most", "total_least", "total_most")
            ],
            f"Left out: {', '.join(account['left_out'])}." if account["left_out"] else "",
        )
        for account in section["energy_per_image"]
    ]  # fmt: skip
    counts = [(name, Cell(number(f["value"]), f["value"]), sourced(f)) for name, f in section["counts"].items()]
    times = [(n, figure(f), sourced(f)) for n, f in section["time"].items() if isinstance(f, Mapping) and "unit" in f]
    prices = [(n, figure(f), sourced(f)) for n, f in section["time"]["prices"].items()]
    layers = [
        (y["name"], y["neurons"], y["cores"], y["spikes"], y["synaptic_operations"], y["updates"],
         Cell(f"{y['busiest_ns'] / 1e3:,.2f}", y["busiest_ns"]), y["dynamic_nj"], y["instructions"])
        for y in section["layers"]
    ]  # fmt: skip
    columns = ("population", "neurons", "cores", "spikes", "synops", "updates", "slowest µs", "dynamic nJ",
               "instructions")  # fmt: skip
    return [
        table("Time", ("", "time", "source"), times),
        *found,
        table("Counts per image", ("", "count", "source"), counts, folded=True),
        table("Prices of time", ("", "price", "source"), prices, folded=True),
        table("Populations, per image", columns, layers, folded=True),
    ]


def _tuning(section: Document) -> list[HtmlTable]:
    with_energy = any(p["held_out"]["energy_nj"] is not None for p in section["points"])
    rows = []
    for p in section["points"]:
        s, m = p["setting"], p["held_out"]
        a, energy = m["accuracy"], m["energy_nj"]
        rows.append(
            (
                *(s["timesteps"], s["wait"], cell(s["levels"]), "two" if s["two_sided"] else "one"),
                *(percent(a["value"]), interval(a), Cell(f"{m['loss_pp']:+.2f}", m["loss_pp"])),
                *(m["latency_steps"], m["period_steps"], Cell(f"{m['spikes']:.3f}", m["spikes"]), m["alpha"]),
                *([None if energy is None else Cell(amount(energy, "nJ"), energy)] if with_energy else []),
                p["within_limits"],
            )
        )
    setting, figures = ("T", "wait", "Q", "sides"), ("accuracy", "95 % interval", "loss pp", "latency", "period")
    columns = (*setting, *figures, "spikes", "α INT8", *(["energy"] if with_energy else []), "within limits")
    refused = [(_setting(r["setting"]), r["reason"]) for r in section["refused"]]
    return [
        table("Pareto front on held-out images", columns, rows),
        *([table("Settings that could not be converted", ("setting", "reason"), refused, folded=True)] * bool(refused)),
    ]


def _setting(s: Document) -> str:
    return f"T={s['timesteps']} wait={s['wait']} Q={s['levels']} {'two' if s['two_sided'] else 'one'}-sided"
