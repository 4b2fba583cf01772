"""From fields to networks: every use of a field, and every contradiction between fields."""

from __future__ import annotations

import re

import numpy as np
import pytest

from loihi_onespike.core.graphs.network import Network
from loihi_onespike.errors import FormatError
from netx_export.decode import decode
from netx_export.encode import FieldMap, encode
from tests.support.equal import assert_same
from tests.support.networks import chain, dips, graph, levels, nodes, payload, products, sides


def refused(fields: FieldMap) -> FormatError:
    with pytest.raises(FormatError) as caught:
        decode(fields)
    return caught.value


NETWORKS = [chain(), graph(), nodes(), levels(), payload(), dips(), products(), sides()]


@pytest.mark.parametrize("network", NETWORKS, ids=lambda n: n.name)
def test_a_decoded_network_is_the_encoded_one(network: Network) -> None:
    assert_same(decode(encode(network)), network)


def test_a_file_without_layers() -> None:
    fields = {name: value for name, value in encode(chain()).items() if not name.startswith("layer/")}
    error = refused(fields)
    assert error.field == "layer" and "no layers" in str(error)


def test_layers_are_numbered_without_a_gap() -> None:
    fields = {name.replace("layer/5/", "layer/6/"): value for name, value in encode(chain()).items()}
    assert refused(fields).field == "layer/6"


def test_what_follows_from_other_fields_must_agree() -> None:
    fields = encode(chain())
    error = refused({**fields, "layer/1/inChannels": np.array(2, "<i8")})
    assert error.field == "layer/1/inChannels" and "the rest of the file says 1" in str(error)
    assert refused({**fields, "layer/1/outFeatures": np.array(2, "<i8")}).field == "layer/1/outFeatures"


def test_a_broken_rule_is_blamed_on_its_layer() -> None:
    fields = encode(chain())
    error = refused({**fields, "layer/3/weight": np.full((4, 3, 3, 3), 3, "<i2")})
    assert error.field == "layer/3" and "breaks a rule" in str(error)


@pytest.mark.parametrize(
    ("gone", "field", "message"),
    [
        ("neuron/second/vInit", "neuron/second/vInit", "is missing"),
        ("neuron/productBias", "neuron/productBias", "is missing"),
        ("neuron/productShift", "", r"factor must be in 0..0, since scaled has 1, got 1"),
        ("onespike/synapse/1/factor", "", "input_steps must be that of its inputs"),
    ],
)
def test_the_fields_of_a_product_belong_together(gone: str, field: str, message: str) -> None:
    fields = encode(products())
    del fields[f"layer/2/{gone}"]
    error = refused(fields)
    assert error.field == f"layer/2/{field}".rstrip("/") or error.field == "layer"
    assert re.search(message, str(error))


def test_fields_of_a_product_without_one() -> None:
    fields = encode(products())
    extra = {name: value for name, value in fields.items() if name.startswith("layer/2/neuron/second/")}
    moved = {name.replace("layer/2", "layer/1"): value for name, value in extra.items()}
    assert "does not belong" in str(refused({**fields, **moved}))


def test_one_sided_neurons_are_beside_those_of_both_signs() -> None:
    fields = encode(chain())
    error = refused({**fields, "layer/1/neuron/oneSided": np.ones((3, 1, 1), "u1")})
    assert error.field == "layer/1" and "in a population without negative spikes" in str(error)
    table = encode(sides())["layer/1/neuron/tableMant"] * np.array([1, 1, 1, -1], "<i4")
    error = refused({**encode(sides()), "layer/1/neuron/negativeMant": table})
    assert error.field == "layer/1" and "tables not negative where neurons are one-sided" in str(error)


def test_facts() -> None:
    fields = encode(chain())
    assert decode(fields).facts == {"origin": "fixed", "timesteps": 4}
    assert refused({**fields, "onespike/facts": np.array(b"{")}).field == "onespike/facts"
    assert "JSON object" in str(refused({**fields, "onespike/facts": np.array(b"[1]")}))
