"""The file of an observation: written, read again, and refused with the place that is wrong."""

import json

import numpy as np
import pytest

from loihi_onespike.boards.deployment.bringup.ladder import LADDER
from loihi_onespike.boards.deployment.bringup.observed import FORMAT, document_of, read_observed, write_observed
from loihi_onespike.errors import DataError


def test_what_was_written_is_read_again(tmp_path):
    observed = {rung.name: rung.expected() for rung in LADDER}
    write_observed(observed, tmp_path / "o.json")
    again = read_observed(tmp_path / "o.json")
    assert list(again) == list(observed)
    for name, trace in observed.items():
        for a, b in ((trace.spikes, again[name].spikes), (trace.v, again[name].v)):
            assert a.keys() == b.keys() and all(np.array_equal(a[p], b[p]) for p in a)


def relay(**changed):
    document = json.loads(json.dumps(document_of({"relay": LADDER[0].expected()})))
    return {**document, **changed}


def test_parts_may_be_left_out(tmp_path):
    document = relay()
    del document["networks"]["relay"]["spikes"]
    del document["networks"]["relay"]["v"]["relay"]
    (tmp_path / "o.json").write_text(json.dumps(document))
    trace = read_observed(tmp_path / "o.json")["relay"]
    assert not trace.spikes and list(trace.v) == ["relay_readout"]


def edited(change):
    document = relay()
    change(document["networks"]["relay"])
    return document


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (relay(format="2"), f"format must be '{FORMAT}', got '2'"),
        (relay(networks={}), "at least one of relay, readout"),
        (relay(networks={"relais": {}}), "networks must be among relay.*got relais"),
        (relay(networks={"relay": {}}), "networks.relay: must hold spikes or v"),
        (relay(networks={"relay": []}), "networks.relay.spikes: must be an object"),
        (edited(lambda e: e["v"].update(out=[])), "networks.relay.v: must be among relay, relay_readout, got out"),
        (edited(lambda e: e["v"]["relay"].pop()), r"v.relay: must be integers of shape \(6, 4, 3\).*got shape \(5, 4"),
        (edited(lambda e: e["v"]["relay"][0].pop()), r"v.relay: must be integers of shape \(6, 4, 3\)"),
        (edited(lambda e: e["v"]["relay"][0][0].__setitem__(0, 1.5)), "got values of type float64"),
        (edited(lambda e: e["v"]["relay"][0][0].__setitem__(0, 2**40)), "must fit into 32 bits"),
        ([], "must be a JSON object, got list"),
    ],
)
def test_refusals(tmp_path, document, words):
    (tmp_path / "o.json").write_text(json.dumps(document))
    with pytest.raises(DataError, match=words) as error:
        read_observed(tmp_path / "o.json")
    assert str(tmp_path / "o.json") in str(error.value)


def test_files_that_are_none(tmp_path):
    with pytest.raises(DataError, match="no such file; `onespike bringup -o FILE` writes one"):
        read_observed(tmp_path / "nothing.json")
    (tmp_path / "o.json").write_text("{")
    with pytest.raises(DataError, match="must be a JSON file"):
        read_observed(tmp_path / "o.json")
    with pytest.raises(DataError, match="regular file"):
        read_observed(tmp_path)
