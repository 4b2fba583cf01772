"""Table VIII: accuracy when neurons decide before their whole input has arrived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from benchmarks.paper_tables.experiment import Experiment, base_text, default, method_name, paper
from benchmarks.paper_tables.table import Row, Table


def waits(experiment: Experiment, timesteps: int, base: float, steps: Sequence[int] = ()) -> Table:
    """Table VIII: one row per method and wait, in integer arithmetic with all late and false spikes.

    Args:
        experiment: model and data.
        timesteps: T.
        base: Q of the paper's method.
        steps: waits; by default every second one from 4 to T.
    """
    rows: list[Row] = []
    for make in (paper(timesteps, base), default(timesteps)):
        for wait in steps or range(min(4, timesteps), timesteps + 1, 2):
            options = replace(make, wait=wait)
            result = experiment.integer_result(options)
            rows.append(
                {
                    "method": method_name(options),
                    "Q": base_text(options),
                    "T": timesteps,
                    "wait": wait,
                    "SNN": result.accuracy,
                    "loss pp": experiment.loss_pp(result.accuracy),
                    "latency steps": result.latency_steps,
                    "period steps": result.period_steps,
                }
            )
    notes = ("INT8 weights, exact integers (the paper: FP32); the latency counts the hop of every synapse",)
    return Table("Table VIII: accuracy by wait", rows, notes, experiment.facts)
