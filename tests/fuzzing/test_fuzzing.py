"""2,000 mutated files of all kinds: typed errors only, no crash, no hang, bounded memory. `make fuzz` reads more.

`make test` reads networks and arrays, `make test-thorough` more networks and the other kinds, each of which starts
processes of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from loihi_onespike.core.graphs.network import Network
from loihi_onespike.core.trace import Trace
from loihi_onespike.errors import FormatError
from loihi_onespike.executors import reference
from loihi_onespike.executors.microcode import microcode_executor
from tests.fuzzing import networks, run
from tests.fuzzing.run import examine, fuzz, mutation
from tests.fuzzing.seeds import KINDS
from tests.support.networks import chain

COUNTS = {
    "netx": 100, "npz": 600, "safetensors": 300, "pt": 200, "pt2": 50, "onnx": 100, "toml": 150,
    "trace": 20, "front": 100, "study": 40, "config": 50, "part": 100, "run": 40, "report": 30, "nir": 20,
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        ("netx", 25),
        ("npz", 100),
        *(pytest.param(kind, COUNTS[kind], marks=pytest.mark.thorough) for kind in KINDS),
    ],
)
def test_mutated_files_are_refused_or_read(kind: str, count: int) -> None:
    tally = fuzz(kind, 0, count)
    assert tally.tried == count
    assert not tally.findings
    assert tally.accepted < tally.tried / 2


@pytest.mark.thorough
def test_more_mutated_networks_are_refused_or_read() -> None:
    tally = fuzz("netx", COUNTS["netx"], 100)
    assert tally.tried == 100
    assert not tally.findings


@pytest.mark.parametrize("kind", KINDS)
def test_a_number_repeats_a_mutation(kind: str) -> None:
    found = [mutation(kind, number)[0] for number in range(20)]
    assert found == [mutation(kind, number)[0] for number in range(20)]
    assert len(set(found)) > 15


def _wrong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, read: Callable[[Path], object]) -> object:
    monkeypatch.setattr(run, "KINDS", {**KINDS, "netx": replace(KINDS["netx"], read=read)})
    numbers = [n for n in range(60) if mutation("netx", n)[1]]
    return examine("netx", numbers[0], tmp_path / "file.h5", set())["wrong"]


def test_findings_are_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(error: Exception) -> Callable[[Path], object]:
        def read(path: Path) -> object:
            raise error

        return read

    assert _wrong(monkeypatch, tmp_path, fail(KeyError("x"))) == "KeyError: 'x'"
    assert _wrong(monkeypatch, tmp_path, fail(FormatError("x", "is damaged"))) == ""
    assert "cannot be printed" in str(_wrong(monkeypatch, tmp_path, fail(FormatError("x", "long" * 10_000))))
    assert _wrong(monkeypatch, tmp_path, lambda path: chain()) == "another network was accepted"


@pytest.mark.thorough
def test_executors_agree_on_random_networks() -> None:
    found = [networks.examine(number) for number in range(3)]
    assert [line["wrong"] for line in found] == [""] * 3


def test_a_difference_between_executors_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def other(network: Network, codes: NDArray[np.integer]) -> Trace:
        return replace(reference.run(network, codes), output=np.zeros(1))

    monkeypatch.setattr(microcode_executor, "run", other)
    assert networks.examine(0)["wrong"] == "microcode: another output"
