"""SANA-FE computes the one-spike neuron with our plugin: every spike and potential equals the oracle's."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from loihi_onespike.boards.energy.activity import Activity
from loihi_onespike.boards.energy.estimate import estimate_board
from loihi_onespike.boards.mapping import map_network
from loihi_onespike.boards.sanafe import compare, plugin, simulate
from loihi_onespike.core.codes import PhaseCode
from loihi_onespike.core.trace import first_difference
from loihi_onespike.errors import SimulatorError
from loihi_onespike.executors import reference
from tests.boards.mapping.boards import narrow
from tests.strategies import random_case
from tests.support.lava_networks import BASE, chain, codes, everything, sides

pytestmark = pytest.mark.thorough

pytest.importorskip("sanafe", reason="SANA-FE is not installed")


@pytest.fixture
def compiled():
    """The plugin; a compiler that cannot compile it fails the test."""
    if plugin.compiler() is None:
        pytest.skip("there is no compiler")
    return plugin.library()


CASES = {
    "chain": (chain, 6, "nahuku_32"),
    "chain, short wait, many tiles": (chain, 2, narrow("nahuku_32", neurons=16)),
    "everything, many tiles": (everything, 5, narrow("nahuku_32", neurons=5)),
    "everything, short wait": (everything, 2, "nahuku_32"),
    "one-sided neurons": (lambda wait: sides(wait, PhaseCode(BASE, 4)), 4, "nahuku_32"),
    "one-sided neurons, short wait": (lambda wait: sides(wait, PhaseCode(BASE, 4)), 1, "nahuku_32"),
}


@pytest.mark.parametrize("case", CASES)
def test_spikes_potentials_and_counts_are_those_of_the_oracle(compiled, case):
    make, wait, board = CASES[case]
    network = make(wait)
    oracle = reference.run(network, codes(network, 3))
    mapping = map_network(network, board)
    idle, updated, computed = (
        simulate(network, mapping, oracle, neurons=kind) for kind in ("idle", "updated", "computed")
    )
    assert computed.trace is not None and first_difference(computed.trace, oracle) is None
    assert computed.spikes == idle.spikes > 0
    for part in ("messages", "input_messages"):
        ours, theirs = getattr(computed, part), getattr(updated, part)
        assert replace(ours, blocked_us=0.0) == replace(theirs, blocked_us=0.0)
    # A chip updates a neuron inside its window and leaves it idle outside of it.
    assert idle.energy_nj["soma"] <= computed.energy_nj["soma"] <= updated.energy_nj["soma"]
    assert computed.energy_nj["synapse"] == pytest.approx(updated.energy_nj["synapse"])


@pytest.mark.parametrize("seed", range(8))
def test_random_networks(compiled, seed):
    network, codes = random_case(seed, dips=seed % 2 * 60)
    oracle = reference.run(network, codes)
    run = simulate(network, map_network(network, "nahuku_32"), oracle, neurons="computed")
    assert run.trace is not None and first_difference(run.trace, oracle) is None


def test_a_payload_is_refused():
    """The mapper refuses it on Loihi 1 before; a board of one's own need not say how wide a message is."""
    network, _ = random_case(0, payload=100)
    assert any(p.code.payload_bits for p in network.hidden)
    with pytest.raises(SimulatorError, match=r"must have no payload, .* bits; replay spikes, or .*payload_bits=0"):
        plugin.check_computable(network)


def test_without_a_compiler(monkeypatch):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(plugin.shutil, "which", lambda name: None)
    with pytest.raises(SimulatorError, match=r"must be one of c\+\+, g\+\+, clang\+\+ .*, got none; install one"):
        plugin.library.__wrapped__()


def test_with_a_compiler_that_cannot_be_run(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler -m64")
    with pytest.raises(SimulatorError, match=r"compiler: no-such-compiler -m64 cannot be run \(No such file"):
        plugin.library.__wrapped__()


def test_with_a_compiler_that_fails(monkeypatch):
    monkeypatch.setenv("CXX", "false")
    with pytest.raises(SimulatorError, match=r"compiler: false must compile one_spike\.cpp as C\+\+17, got:"):
        plugin.library.__wrapped__()


def test_without_headers(monkeypatch, tmp_path):
    monkeypatch.setattr(plugin, "require", lambda: SimpleNamespace(__file__=str(tmp_path / "sanafe" / "__init__.py")))
    with pytest.raises(SimulatorError, match=r"must have its headers in .*src, got none; replay spikes instead"):
        plugin.library.__wrapped__()


def test_comparison_with_computed_spikes(compiled):
    network = chain(6)
    oracle = reference.run(network, codes(network, 3))
    activity = Activity.of(network, oracle.layers)
    mapping = map_network(network, "nahuku_32", activity.per_neuron())
    estimate = estimate_board(network, mapping, activity)
    seen: list[tuple[int, int]] = []
    found = compare(network, mapping, oracle, estimate, computed=True, progress=lambda *at: seen.append(at))
    assert found.difference is None and not found.unequal
    assert "of 3 images itself; they are equal to ours" in found.differences[0]
    assert found.document()["computed_spikes_equal"]
    time = next(row for row in found.rows if row.name == "time")
    assert time.computed is not None and f"({time.idle:,.2f} µs to {time.updated:,.2f} µs)" in time.text[0]
    # two replays of 3 images, and 3 more after the periods that fill the pipeline
    assert seen[0] == (1, 9) and seen[5] == (6, 9) and seen[-1][0] == seen[-1][1] > 9
    wrong = replace(found, difference=first_difference(reference.run(network, codes(network, 3, seed=1)), oracle))
    assert "they are not equal (" in wrong.differences[0]
