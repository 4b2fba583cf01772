"""The list of executors: what each one claims is true, and what it does not have is refused by name."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import loihi_onespike as los
from loihi_onespike.cli.app import app
from loihi_onespike.core.graphs.stage import StageGraph
from loihi_onespike.core.trace import differing_spikes, first_difference
from loihi_onespike.errors import ConfigurationError
from loihi_onespike.executors import reference, registry
from loihi_onespike.executors.lava import available
from loihi_onespike.executors.protocol import Capabilities, ExecutorEntry, ExecutorOptions, Subject
from tests.strategies import random_case
from tests.support.lava_processes import forked
from tests.support.models import inputs, make

pytestmark = forked
NEEDS_LAVA = pytest.mark.skipif(not available(), reason="needs Lava")
ENTRIES = [
    pytest.param(entry, id=entry.name, marks=[NEEDS_LAVA] if entry.name == "lava" else []) for entry in registry.ENTRIES
]
EXACT = [entry for entry in ENTRIES if entry.id in registry.names_with("exact")]


@pytest.fixture(scope="module")
def nets() -> dict[bool, los.OneSpikeNetwork]:
    """One network with a short wait (True) and with the full wait (False)."""
    return {
        short: los.convert(make("mlp"), inputs(), timesteps=6, wait=3 if short else None, method="paper")
        for short in (True, False)
    }


def no_stages() -> StageGraph:
    raise AssertionError("asked for stages that its capabilities say it does not need")


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("entry", EXACT)
def test_exact_executors_equal_the_oracle(entry: ExecutorEntry, seed: int) -> None:
    network, codes = random_case(seed, images=2)
    executor, options = entry.make(Subject(network, no_stages)), entry.options()
    expected = reference.run(network, codes)
    assert first_difference(expected, executor.trace(codes, options)) is None
    np.testing.assert_array_equal(executor.predict(codes, options), expected.output)
    assert differing_spikes(expected, executor.count_trace(codes, options)) == 0


@pytest.mark.parametrize("short", [True, False], ids=["short wait", "full wait"])
@pytest.mark.parametrize("entry", ENTRIES)
def test_every_wait_that_it_claims_runs(
    entry: ExecutorEntry, short: bool, nets: dict[bool, los.OneSpikeNetwork]
) -> None:
    assert entry.capabilities.short_wait and entry.capabilities.full_wait
    net, x = nets[short], inputs(2)
    output = net.predict(x, entry.name)
    assert output.shape == net.predict(x, "reference").shape
    np.testing.assert_array_equal(net.trace(x, entry.name).output, output)


def test_every_claim_of_exact_integers_is_tested() -> None:
    assert registry.names() == ("fast", "float", "reference", "microcode", "lava")
    assert registry.names_with("exact") == ("fast", "reference", "microcode", "lava")
    assert registry.names_with("devices") == ("fast", "float")


@pytest.mark.parametrize("name", registry.names())
def test_an_unknown_option_is_refused_by_name(name: str, nets: dict[bool, los.OneSpikeNetwork]) -> None:
    supported = ", ".join(registry.entry_of(name).options.names()) or "none"
    message = f"executor '{name}': does not take the option colour; supported: {supported}"
    for call in (nets[False].trace, nets[False].predict):
        with pytest.raises(ConfigurationError, match=message):
            call(inputs(1), name, colour="red")
    with pytest.raises(ConfigurationError, match=message):
        nets[False].evaluate(inputs(1), np.zeros(1, int), name, colour="red")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("fast", {"stream": True}, "executor 'fast': does not take the option stream; supported: memory_budget"),
        ("reference", {"memory_budget": 10**9}, "executor 'reference': does not take the option memory_budget"),
        ("fast", {"memory_budget": 0}, "memory_budget: must be an integer greater than 0, got 0"),
        ("fast", {"memory_budget": True}, "memory_budget: must be an integer greater than 0, got True"),
        ("fast", {"memory_budget": 1.5e9}, "memory_budget: must be an integer greater than 0, got 1500000000.0"),
        ("lava", {"stream": 1}, "stream: must be True or False, got 1"),
        ("lava", {"timeout_s": -1.0}, "timeout_s: must be a number greater than 0, got -1.0"),
        ("lava", {"processes": "one"}, "processes: must be graph or whole, got 'one'"),
    ],
)
def test_options_out_of_range(
    name: str, options: dict[str, Any], message: str, nets: dict[bool, los.OneSpikeNetwork]
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        nets[False].predict(inputs(1), name, **options)


@pytest.mark.parametrize("entry", registry.ENTRIES, ids=registry.names())
def test_every_option_has_a_help(entry: ExecutorEntry) -> None:
    fields = entry.options.__dataclass_fields__
    assert all(str(field.metadata["help"]).endswith(".") for field in fields.values())


@pytest.mark.parametrize(
    ("lacks", "short", "message"),
    [
        ("short_wait", True, "does not run short waits; use fast, reference, microcode or lava"),
        ("full_wait", False, "does not run full waits; use fast, float, reference, microcode or lava"),
    ],
)
def test_a_missing_capability_is_refused_by_name(
    lacks: str, short: bool, message: str, nets: dict[bool, los.OneSpikeNetwork], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_float = registry.entry_of("float").make
    capabilities = replace(Capabilities(exact=False), **{lacks: False})
    weak = ExecutorEntry(f"without {lacks}", "lacks something", capabilities, ExecutorOptions, make_float)
    monkeypatch.setattr(registry, "ENTRIES", (*registry.ENTRIES, weak))
    assert nets[not short].predict(inputs(1), weak.name).shape[0] == 1
    with pytest.raises(ConfigurationError, match=f"executor: {weak.name!r} {message}"):
        nets[short].predict(inputs(1), weak.name)


def test_options_that_change_counts_are_kept_apart(nets: dict[bool, los.OneSpikeNetwork]) -> None:
    x, y = inputs(2), np.zeros(2, int)
    one = nets[False].evaluator(x, y, "lava", processes="whole").facts
    other = nets[False].evaluator(x, y, "lava", precision="floating_pt").facts
    assert "options of the executor" not in one
    assert other["options of the executor"] == {"precision": "floating_pt"}


def test_the_command_line_lists_the_registry(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    shown = CliRunner().invoke(app, ["evaluate", "--help"]).output
    assert all(f"{entry.name}: {entry.summary}." in shown for entry in registry.ENTRIES)
    net = los.convert(make("mlp"), inputs(), method="paper").save(tmp_path / "net.h5")
    refused = CliRunner().invoke(app, ["evaluate", str(net), "--data", "digits", "--executor", "gpu"])
    assert refused.exit_code == 2


def test_the_list_is_cheap() -> None:
    check = (
        "import sys, loihi_onespike.executors.registry; "
        "sys.exit(any(m in sys.modules for m in ('lava', 'torch', 'h5py', 'numba')))"
    )
    assert subprocess.run([sys.executable, "-c", check]).returncode == 0
