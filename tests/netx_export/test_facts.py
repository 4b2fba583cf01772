"""The record of how a network was made is checked like a field."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import netx_export
from loihi_onespike.errors import FormatError
from netx_export.encode import encode
from netx_export.facts import MAX_DEPTH, checked_facts
from netx_export.storage import image
from netx_export.values import text
from tests.support.networks import graph

FACTS = {
    "macs_of_text": '{"ann_macs": {"conv1": "many"}}',
    "macs_of_nothing": '{"ann_macs": {"conv1": null}}',
    "macs_as_a_list": '{"ann_macs": [1]}',
    "macs_below_zero": '{"ann_macs": {"conv1": -1}}',
    "headroom_of_text": '{"headroom": {"conv1": {"v_bits": "wide"}}}',
    "headroom_as_a_list": '{"headroom": {"conv1": []}}',
    "lone_surrogate": '{"rewrites": ["\\ud800"]}',
    "infinite": '{"a": 1e999}',
    "not_a_number": '{"a": NaN}',
    "deep": '{"a": ' + "[" * 400 + "]" * 400 + "}",
    "very_deep": '{"a": ' + "[" * 30_000 + "]" * 30_000 + "}",
    "number_of_5000_digits": '{"a": ' + "7" * 5000 + "}",
    "rewrites_as_text": '{"rewrites": "none"}',
    "options_as_a_list": '{"options": []}',
    "list": "[]",
    "objects_and_lists": '{"a": [' + ", ".join(["{}", "[]"] * 2**15) + "]}",
}


@pytest.mark.parametrize("case", FACTS)
def test_hostile_facts_are_refused(case: str, tmp_path: Path) -> None:
    fields = dict(encode(graph()))
    fields["onespike/facts"] = text(FACTS[case])
    (tmp_path / "facts.h5").write_bytes(image(fields))
    with pytest.raises(FormatError, match=r"^onespike/facts") as caught:
        netx_export.read(tmp_path / "facts.h5")
    assert str(caught.value).encode("utf-8") and len(str(caught.value)) < 1000


def test_what_a_conversion_records_is_admitted() -> None:
    widths = {"v_bits": 23, "v_worst_bits": 26, "input_bits": 1, "input_worst_bits": 2, "saturating": False}
    facts = {
        "ann_macs": {"conv1": 12, "fc": 0.5},
        "headroom": {"conv1": widths},
        "options": {"timesteps": 16, "base": "fitted", "wait": None},
        "rewrites": ["λ folded"],
        "own": [1.5, None, "text"],
    }
    assert checked_facts(json.dumps(facts, ensure_ascii=False)) == facts
    assert checked_facts("{}") == {}


def test_the_deepest_record() -> None:
    def nested(depth: int) -> str:
        return '{"a":' * depth + "1" + "}" * depth

    assert checked_facts(nested(MAX_DEPTH - 1))
    with pytest.raises(FormatError, match=f"must be nested at most {MAX_DEPTH} deep"):
        checked_facts(nested(MAX_DEPTH))
