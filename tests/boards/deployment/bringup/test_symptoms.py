"""Which readings explain what: every reading is run on the stand-in board and found again."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from loihi_onespike.boards.deployment.backends.board_backend import BoardSettings
from loihi_onespike.boards.deployment.backends.stand_in import STAND_IN, StandInBoard
from loihi_onespike.boards.deployment.bringup import document
from loihi_onespike.boards.deployment.bringup.ladder import LADDER, rung_of
from loihi_onespike.boards.deployment.bringup.ladder_run import climb
from loihi_onespike.boards.deployment.bringup.symptoms import explain, first_symptom, remedies, trace_under
from loihi_onespike.boards.deployment.delays import AdapterDelays, DelayChoice
from loihi_onespike.core.step_trace import StepTrace
from loihi_onespike.microcode.semantics import ALTERNATIVES, READ_AS_STATED, STATED, semantics_of

pytestmark = pytest.mark.thorough

HARMLESS = "ADD saturates"
"""MIN, LT and SEL behind every ADD saturate at the same limits."""
PAGE = Path(__file__).parents[4] / "docs" / "bringup.md"


def seen_under(name, networks=None):
    semantics = semantics_of(name)
    return {r.name: trace_under(semantics, r.name) for r in LADDER if networks is None or r.name in networks}


def test_what_is_equal_to_the_oracle_is_as_stated():
    assert explain(seen_under(STATED)).remaining == (STATED, HARMLESS)
    for rung in LADDER:
        assert first_symptom(READ_AS_STATED, rung) is None
        assert first_symptom(semantics_of(HARMLESS), rung) is None


@pytest.mark.slow
@pytest.mark.parametrize("name", [a.name for a in ALTERNATIVES if a.name != HARMLESS])
def test_every_other_reading_is_found_and_no_other(name):
    explanation = explain(seen_under(name))
    assert explanation.remaining == (name,) and not explanation.separations
    (told,) = remedies(explanation)
    assert told[0] == name and told[1]


@pytest.mark.slow
def test_the_tables_of_the_page_are_what_the_interpreter_shows():
    text = PAGE.read_text(encoding="utf-8")
    command = "python -m loihi_onespike.boards.deployment.bringup.document docs/bringup.md"
    assert document.updated(text, document.PARTS) == text, command


def test_the_page_has_a_row_for_every_network_and_reading():
    text = PAGE.read_text(encoding="utf-8")
    for name in [a.name for a in ALTERNATIVES]:
        assert text.count(f"\n| {name} |") == 2, name
        symptoms = text.split("<!-- begin symptoms -->")[1].split("<!-- end symptoms -->")[0]
        assert name in symptoms, name
    assert document.ladder() in text and document.readings() in text


def test_a_part_of_the_ladder_leaves_several_and_names_what_separates_them():
    explanation = explain(seen_under("JUMP_C clears c", ["relay", "readout", "unsigned"]))
    assert STATED in explanation.remaining and "JUMP_C clears c" in explanation.remaining
    assert "MUL_SHR towards zero" not in explanation.remaining
    by_network = {s.network: s.groups for s in explanation.separations}
    pairs = {"signed", "one-sided", "two state rows", "table", "saturation", "payload", "payload pool", "two cores"}
    assert set(by_network) == pairs
    group = next(g for g in by_network["table"] if "JUMP_C clears c" in g)
    assert group == ("JUMP_C clears c",)
    assert any("Run the network table" in sentence for sentence in explanation.sentences())


def test_a_single_population_may_be_enough():
    """The rounding of the readout's gain, seen in its v alone."""
    whole = trace_under(semantics_of("MUL_SHR to nearest"), "readout")
    assert explain({"readout": whole}).remaining == ("MUL_SHR to nearest",)
    stated = StepTrace({}, {"relay_readout": rung_of("relay").expected().v["relay_readout"]})
    assert STATED in explain({"relay": stated}).remaining


@pytest.mark.slow
def test_two_readings_at_once():
    both = replace(READ_AS_STATED, rounding="zero", jump_keeps_c=False)
    explanation = explain({r.name: trace_under(both, r.name) for r in LADDER})
    assert explanation.remaining == ("MUL_SHR towards zero together with JUMP_C clears c",)
    assert [name for name, _ in remedies(explanation)] == ["MUL_SHR towards zero", "JUMP_C clears c"]


@pytest.mark.slow
def test_what_no_reading_explains():
    trace = trace_under(READ_AS_STATED, "relay")
    v = {name: values.copy() for name, values in trace.v.items()}
    v["relay"][0, 0, 0] = 77
    explanation = explain({"relay": StepTrace(trace.spikes, v)})
    assert explanation.remaining == () and len(explanation.refuted) == len(ALTERNATIVES) + 1
    told = " ".join(explanation.sentences())
    assert "No reading" in told and "--handover" in told and "expected 2, found 77" in told
    assert explanation.to_dict()["remaining"] == []


@pytest.mark.parametrize("reading", ["RDC keeps the input", "RDC reads state", "SPIKE where c is set"])
def test_delays_are_found_though_the_first_network_differs(reading):
    """A board whose relay does not work still shows when its potentials arrive."""
    actual = AdapterDelays(0, 2, 2)
    entry = replace(STAND_IN, make=lambda s: StandInBoard(s, semantics_of(reading), actual))
    done = climb(entry, BoardSettings(), {}, DelayChoice(), rungs=LADDER[:2])
    assert done.runs["relay"].differences and done.delays.state == 2
    # A core that never sees its input cannot show when that arrives.
    assert reading == "RDC reads state" or done.delays.input == 0
    assert reading in done.explanation().remaining


@pytest.mark.parametrize("name", ["MUL_SHR product wraps", "SHL 24 bits", "ADD wraps"])
def test_readings_beyond_24_bits_show_in_the_saturating_network_alone(name):
    shown = [rung.name for rung in LADDER if first_symptom(semantics_of(name), rung)]
    assert shown == ["saturation"]


def test_traces_are_of_the_whole_windows():
    trace = trace_under(READ_AS_STATED, "signed")
    assert all(values.shape[:2] == (6, 8) for part in (trace.spikes, trace.v) for values in part.values())
    assert np.array_equal(trace.v["signed"], rung_of("signed").expected().v["signed"])
