"""The networks of the ladder: what they show by hand, and that each shows what it is for."""

import json
from dataclasses import replace

import numpy as np
import pytest

from loihi_onespike.boards.deployment.backends.board_backend import BoardSettings
from loihi_onespike.boards.deployment.backends.stand_in import STAND_IN, StandInBoard
from loihi_onespike.boards.deployment.bringup.ladder import LADDER, rung_of
from loihi_onespike.boards.deployment.bringup.ladder_run import climb, ladder_check, ladder_programs, only
from loihi_onespike.boards.deployment.delays import AdapterDelays, DelayChoice
from loihi_onespike.core.graphs.network import Population, Readout
from loihi_onespike.errors import ConfigurationError
from loihi_onespike.json_text import json_text
from loihi_onespike.microcode import program_of, state_rows
from loihi_onespike.microcode.isa import Op

RUNGS = pytest.mark.parametrize("rung", LADDER, ids=lambda rung: rung.name)


def test_every_step_of_every_network_is_the_oracles_on_the_stand_in():
    done = climb(STAND_IN, BoardSettings(), {}, DelayChoice())
    assert done.equal and list(done.runs) == [rung.name for rung in LADDER] and done.delays == AdapterDelays()
    assert json.loads(json_text(done.to_dict()))["networks"][0] == {"network": "relay", "equal": True, "first": ""}
    compared = {name: (set(run.trace.spikes), set(run.trace.v)) for name, run in done.runs.items()}
    for rung in LADDER:
        hidden = {p.name for p in rung.network.hidden}
        assert compared[rung.name] == (hidden, hidden | {rung.network.readout.name})


@pytest.mark.parametrize("delays", [(a, b, c) for a in range(3) for b in range(3) for c in range(3)])
def test_the_first_network_settles_the_delays(delays):
    actual = AdapterDelays(*delays)
    entry = replace(STAND_IN, make=lambda settings: StandInBoard(settings, delays=actual))
    done = climb(entry, BoardSettings(), {}, DelayChoice(), rungs=LADDER[:1])
    assert done.equal and done.delays == actual


def test_the_relay_by_hand():
    """Codes 1 2 3: each sends one step after its input, v = 2 from then on; weights 10 -6 14 and -18 22 -2."""
    rung = rung_of("relay")
    expected = rung.expected()
    assert expected.spikes["relay"][0].tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]
    assert expected.v["relay"][0].tolist() == [[2, 0, 0], [2, 2, 0], [2, 2, 2], [2, 2, 2]]
    assert expected.v["relay_readout"][0].tolist() == [[10, -18], [4, 4], [18, 2], [18, 2]]
    assert not expected.spikes["relay"][-1].any()  # no input, no spike


def test_the_readout_by_hand():
    """v = -11 · 1.5 = -16.5, rounded down to -17, plus the weight of the input that arrives."""
    v = rung_of("readout").expected().v["direct_readout"][0]
    assert v[0].tolist() == [-17 + 10, -17 - 18]
    assert v[1].tolist() == [-11 - 6, -53 + 22]  # -7 · 1.5 = -10.5 and -35 · 1.5 = -52.5


@RUNGS
def test_spikes_and_silence(rung):
    """Each spiking population sends at most once in a window, at more than one phase, and is silent for some image."""
    for name, spikes in rung.expected().spikes.items():
        sent = (spikes != 0).sum(axis=1)
        assert sent.max() == 1 and sent.min() == 0, name
        assert len(np.unique(np.argwhere(spikes)[:, 1])) > 1, name


def test_each_rung_shows_what_it_is_for():
    hidden = {name: p for rung in LADDER for name, p in ((p.name, p) for p in rung.network.hidden)}
    rows = {name: state_rows(p, 8) for name, p in hidden.items()}
    assert [name for name, count in rows.items() if count == 2] == ["two_rows"]
    traces = {name: trace for rung in LADDER for name, trace in rung.expected().spikes.items()}
    assert {name for name, spikes in traces.items() if spikes.min() < 0} == {
        *("signed", "one_sided", "saturating", "second_core")
    }
    one_sided, other = np.moveaxis(traces["one_sided"], -1, 0)
    assert one_sided.min() == 0 and np.array_equal(one_sided, np.maximum(other, 0)) and other.min() < 0 < other.max()
    saturating = rung_of("saturation").expected().v["saturating"]
    assert (saturating.min(), saturating.max()) == (-(2**23), 2**23 - 1)
    neurons: list[Population | Readout] = [p for rung in LADDER for p in rung.network.hidden]
    neurons += [rung.network.readout for rung in LADDER]
    used = {i.op for p in neurons for i in program_of(p, 8).instructions}
    assert used == set(Op) - {Op.OR, Op.SKIP_C, Op.PROBE}, "all instructions that programs use"
    assert [s.axon_delay for s in rung_of("axon delay").network.synapses] == [3, 1]


def test_programs_have_names_of_their_own(tmp_path):
    names = [p.name for rung in LADDER for p in rung.network.populations[1:]]
    assert len(set(names)) == len(names)
    check = ladder_check(tmp_path)
    assert check.failed and "folder bringup" in check.found and "--skip-bringup" in check.remedy
    (tmp_path / "bringup").mkdir()
    (tmp_path / "bringup" / "relay.txt").touch()
    check = ladder_check(tmp_path)
    assert check.failed and "relay_readout" in check.found and " relay (" not in check.found
    for name in names:
        (tmp_path / "bringup" / f"{name}.txt").touch()
    assert not ladder_check(tmp_path).failed and set(ladder_programs(tmp_path)) == set(names)


def test_some_of_the_networks():
    assert [rung.name for rung in only(["table", "relay"])] == ["relay", "table"] and only(()) == LADDER
    with pytest.raises(ConfigurationError, match=r"network: must be one of relay, readout.*got 'ladder'"):
        only(["ladder"])
