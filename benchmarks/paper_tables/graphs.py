"""Table V: a graph network."""

from __future__ import annotations

from pathlib import Path

import loihi_onespike as los
from benchmarks.paper_tables.experiment import base_text, default, method_name, paper
from benchmarks.paper_tables.table import Cell, Row, Table
from benchmarks.text_gcn import load


def graph(folder: Path, timesteps: int, base: float) -> Table:
    """Table V: accuracy of ANN, float and INT8 network over the test nodes, and α, for both methods.

    Args:
        folder: holds `model.py` with load(folder) → model, adjacency and a mapping with labels and test_mask.
        timesteps: T.
        base: Q of the paper's method.
    """
    model, adjacency, info = load(folder)
    rows: list[Row] = []
    facts: dict[str, Cell] = {"data": folder.name, "nodes": int(adjacency.shape[0])}
    for options in (paper(timesteps, base), default(timesteps)):
        net = los.convert(model, adjacency, **vars(options))
        real = net.evaluate(adjacency, info["labels"], "float", mask=info["test_mask"])
        facts |= {"test nodes": int(info["test_mask"].sum()), "ANN": real.ann_accuracy}
        integer = net.evaluate(adjacency, info["labels"], "fast", mask=info["test_mask"])
        rows.append(
            {
                "method": method_name(options),
                "Q": base_text(options),
                "T": timesteps,
                "SNN": real.accuracy,
                "SNN INT8": integer.accuracy,
                "loss pp": real.loss_pp,
                "agreement %": 100 * real.agreement.value if real.agreement else None,
                "α": real.alpha_all_fp32,
                "α INT8": integer.alpha_all_int8,
            }
        )
    notes = ("α counts the order (A·H)·W for both networks; nothing is drawn at random, so there is no seed",)
    return Table("Table V: graph convolutional network", rows, notes, facts)
