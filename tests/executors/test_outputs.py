"""Networks with several readouts: equal on all executors, and the same from a file."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import numpy as np
import pytest

import netx_export
from loihi_onespike.core.graphs.output_form import split
from loihi_onespike.core.trace import first_difference
from loihi_onespike.executors import reference
from loihi_onespike.executors.fast.fast_executor import FastExecutor
from loihi_onespike.executors.microcode import microcode_executor
from loihi_onespike.neighbours.step_module import StepModule
from tests.strategies import Case, random_case
from tests.support.lava_processes import forked

SEEDS = range(4)


def case_of(seed: int) -> Case:
    """The first random network from a seed on that has several readouts."""
    cases = (random_case(100 * seed + i, outputs=3, max_hidden=3, images=2, payload=0) for i in count())
    return next(case for case in cases if len(case.network.readouts) > 1)


@pytest.mark.parametrize("seed", SEEDS)
def test_executors_are_equal(seed: int) -> None:
    case = case_of(seed)
    expected = reference.run(case.network, case.codes)
    found = {
        "fast": FastExecutor(case.network).run(case.codes),
        "microcode": microcode_executor.run(case.network, case.codes),
        "steps": StepModule(case.network)(case.codes),
    }
    for name, trace in found.items():
        assert first_difference(expected, trace) is None, name
        np.testing.assert_array_equal(trace.output, expected.output, err_msg=name)
    np.testing.assert_array_equal(FastExecutor(case.network).predict(case.codes), expected.output)
    shapes = [p.shape if p.order is None else p.order.shape for p in case.network.readouts]
    assert [y.shape[1:] for y in split(case.network, expected.output)] == shapes


@pytest.mark.parametrize("seed", SEEDS)
def test_files(seed: int, tmp_path: Path) -> None:
    case = case_of(seed)
    netx_export.write(case.network, tmp_path / "net.h5")
    again = netx_export.read(tmp_path / "net.h5")
    assert [p.name for p in again.readouts] == [p.name for p in case.network.readouts]
    assert first_difference(reference.run(case.network, case.codes), reference.run(again, case.codes)) is None


@forked
@pytest.mark.lava
@pytest.mark.parametrize("processes", ["graph", "whole"])
def test_lava(processes: str) -> None:
    from loihi_onespike.executors.lava.runner import run

    case = case_of(0)
    expected = reference.run(case.network, case.codes)
    found = run(case.network, case.codes, processes=processes)  # type: ignore[arg-type]
    assert first_difference(expected, found) is None
    np.testing.assert_array_equal(found.output, expected.output)
