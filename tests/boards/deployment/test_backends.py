"""The stand-in board, the search for delays, and who may know Lava."""

import ast
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from loihi_onespike.boards import deployment
from loihi_onespike.boards.deployment import DeploymentOptions, deploy
from loihi_onespike.boards.deployment.backends import registry
from loihi_onespike.boards.deployment.backends.board_backend import BoardSettings, InputStream
from loihi_onespike.boards.deployment.backends.stand_in import STAND_IN, StandInBoard
from loihi_onespike.boards.deployment.board_run import BoardSession
from loihi_onespike.boards.deployment.delays import AdapterDelays, DelayChoice
from loihi_onespike.core.graphs.network import Population
from loihi_onespike.core.step_trace import StepTrace
from loihi_onespike.errors import DeploymentError
from loihi_onespike.executors import reference
from loihi_onespike.json_text import json_text
from loihi_onespike.microcode.semantics import semantics_of
from tests.support.lava_networks import chain, codes, everything
from tests.support.networks import products

HOME = Path(deployment.__file__).parent


def test_only_its_backend_imports_lava():
    """Nor does any other module import the executor on Lava, except that the registry names the entry."""
    found = []
    for path in HOME.rglob("*.py"):
        if HOME / "backends" / "lava" in path.parents:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found += [(path.name, name) for name in names if "lava" in name.split(".")]
    assert found == [("registry.py", "loihi_onespike.boards.deployment.backends.lava.entry")]


def expected(network, x):
    hidden = [p.name for p in network.hidden]
    trace = StepTrace.silent(network, len(x), hidden, [*hidden, network.readout.name])
    reference.run(network, x, trace)
    return trace


@pytest.mark.parametrize(
    "network", [chain(4, 4), chain(2, 6), everything(3), products()], ids=["chain", "early", "everything", "products"]
)
def test_every_step_of_the_stand_in_is_the_oracles(network):
    x = codes(network, 3, seed=2)
    session = BoardSession(STAND_IN, BoardSettings(), network, {})
    run = session.run(x, expected(network, x), DelayChoice())
    assert not run.differences and run.delays == AdapterDelays(1, 1, 1)


def test_the_trace_of_the_oracle_by_step():
    """Phases and v at the end of the window say the same as the steps."""
    network = everything(3)
    x = codes(network, 2)
    steps = expected(network, x)
    trace = reference.run(network, x)
    for p in network.populations[1:]:
        v, phases = trace.layers[p.name].v, trace.layers[p.name].words
        assert v is not None and np.array_equal(steps.v[p.name][:, -1], v)
        if isinstance(p, Population):
            sent = steps.spikes[p.name]
            when = np.arange(1, network.period_steps + 1).reshape(1, -1, *[1] * len(p.shape)) - p.wait
            assert phases is not None and np.any(phases)
            assert np.array_equal((sent * when).sum(axis=1), phases)


# Those of the fast tests have every pair of two delays; all are tried on a smaller network in bringup/test_ladder.py.
DELAYS = [
    pytest.param((a, b, c), marks=[] if c == (a + b) % 3 else pytest.mark.thorough)
    for a in range(3) for b in range(3) for c in range(3)
]  # fmt: skip


@pytest.mark.parametrize("delays", DELAYS)
def test_delays_are_found(delays):
    network = chain(4, 4)
    x = codes(network, 2, seed=4)
    actual = AdapterDelays(*delays)
    entry = replace(STAND_IN, make=lambda settings: StandInBoard(settings, delays=actual))
    run = BoardSession(entry, BoardSettings(), network, {}).run(x, expected(network, x), DelayChoice())
    assert not run.differences and run.delays == actual


def test_a_delay_that_is_given_is_kept():
    network = chain(4, 4)
    x = codes(network, 1)
    run = BoardSession(STAND_IN, BoardSettings(), network, {}).run(x, expected(network, x), DelayChoice(input=2))
    assert run.differences and run.delays.input == 2


def test_the_first_population_neuron_and_step_are_named(monkeypatch):
    """A board that rounds products towards zero: the first v below zero that is multiplied shows it."""
    other = replace(STAND_IN, make=lambda s: StandInBoard(s, semantics_of("MUL_SHR towards zero")))
    monkeypatch.setattr(registry, "BACKENDS", (other,))
    network = chain(4, 4)
    x = codes(network, 2, seed=1)
    report = deploy(network, x, "oheo_gulch", DeploymentOptions(backend="stand-in", skip_bringup=True))
    assert report.failed and report.comparison is not None
    assert report.comparison.populations == ("mean2",)
    name, _, rest = report.comparison.first.partition(": ")
    assert name in {p.name for p in network.populations} and "neuron [" in rest and "of its window" in rest
    assert report.comparison.first in report.markdown()


@pytest.mark.thorough
def test_a_bring_up_that_differs_stops_the_network(monkeypatch):
    """The report says which networks differ, and which reading explains it."""
    other = replace(STAND_IN, make=lambda s: StandInBoard(s, semantics_of("RMW one row")))
    monkeypatch.setattr(registry, "BACKENDS", (other,))
    network = chain(4, 4)
    report = deploy(network, codes(network, 1), "oheo_gulch", DeploymentOptions(backend="stand-in"))
    assert report.failed and report.comparison is None
    assert report.not_run == "the bring-up networks two state rows differ from the oracle"
    assert report.explanation is not None and report.explanation.remaining == ("RMW one row",)
    text = report.markdown()
    assert "would come out under: RMW one row" in text and "- two state rows: two_rows: v at neuron [0]" in text
    assert json.loads(json_text(report.to_dict()))["bringup"]["explanation"]["remaining"] == ["RMW one row"]


def test_the_stand_in_measures_nothing():
    network = chain(4, 4)
    with pytest.raises(DeploymentError, match="stand-in: has no time and energy"):
        deploy(
            network,
            codes(network, 1),
            "oheo_gulch",
            DeploymentOptions(backend="stand-in", profile_steps=99, skip_bringup=True),
        )


def test_a_stream_ends_with_its_images():
    source = chain(4, 4).input
    stream = InputStream(source, np.full((1, *source.shape), 15), 8, 7)  # four bits, all set
    sent = [int(stream.frame(step).any()) for step in range(1, 20)]
    assert sent == [0] * 7 + [1] * 4 + [0] * 8
