"""Tables of the chain of `tests.support.networks`, with numbers that are counted by hand."""

from __future__ import annotations

import json
from dataclasses import replace

from loihi_onespike.core.graphs.network_tables import (
    conversion_text,
    layer_document,
    layer_rows,
    method_text,
    network_document,
    rewrites,
    synapse_rows,
)
from tests.support.networks import chain, products, sides


def test_rows_of_populations_say_when_they_begin() -> None:
    rows = {r.name: r for r in layer_rows(chain())}
    assert list(rows) == ["input", "conv1", "pool1", "conv2", "readout"]
    assert (rows["input"].kind, rows["input"].first_step, rows["input"].wait_steps) == ("input", 1, None)
    assert (rows["conv2"].first_step, rows["conv2"].wait_steps, rows["conv2"].timesteps) == (12, 4, 4)
    assert (rows["readout"].code, rows["readout"].timesteps) == (None, None)


def test_rows_of_synapses_count_weights() -> None:
    network = chain()
    for row, synapse in zip(synapse_rows(network), network.synapses, strict=True):
        assert (row.pre, row.post, row.delay_steps) == (synapse.pre, synapse.post, synapse.axon_delay)
        assert row.smallest <= row.largest


def test_documents_are_values_for_json() -> None:
    network = chain()
    assert json.loads(json.dumps(network_document(network)))["latency_steps"] == 20
    details = json.loads(json.dumps(layer_document(network, "conv1")))
    assert [p["phase"] for p in details["phases"]] == [1, 2, 3, 4]


def test_what_is_recorded_of_the_conversion() -> None:
    network = replace(chain(), facts={"rewrites": ["a: folded"], "options": {"base": "fitted", "wait": 8}})
    assert rewrites(network) == ["a: folded"]
    assert conversion_text(network) == "paper; T 4, fitted levels, wait 8"
    assert (rewrites(chain()), conversion_text(chain())) == ([], "not recorded")
    assert method_text({"levels": True, "bias": False}) == "calibrated without bias"


def test_both_factors_of_a_product() -> None:
    details = json.loads(json.dumps(layer_document(products(), "scaled")))
    assert details["input_steps"] == 3 and details["product"]["second"]["input_steps"] == 4
    assert (details["product"]["shift"], details["product"]["bias"]) == (7, [-16, 15])
    assert [(s["pre"], s["factor"]) for s in details["reads"]] == [("input", 0), ("gate", 1)]
    assert "product" not in layer_document(products(), "gate")


def test_neurons_that_send_no_negative_spikes_are_counted() -> None:
    """Half of four channels of 16 neurons, and every third of six."""
    counted = {name: json.loads(json.dumps(layer_document(sides(), name))) for name in ("channels", "neurons")}
    assert {name: (d["signed"], d["one_sided"]) for name, d in counted.items()} == {
        "channels": (True, 32),
        "neurons": (True, 2),
    }
    assert layer_document(chain(), "conv1")["one_sided"] == 0
