"""From fields to networks: every use of a field, and every contradiction between fields."""

from __future__ import annotations

import numpy as np
import pytest

from loihi_onespike.core.graphs.network import Network
from loihi_onespike.errors import FormatError
from netx_export.decode import decode
from netx_export.encode import FieldMap, encode
from tests.support.equal import assert_same
from tests.support.networks import chain, dips, graph, levels, nodes, payload


def refused(fields: FieldMap) -> FormatError:
    with pytest.raises(FormatError) as caught:
        decode(fields)
    return caught.value


@pytest.mark.parametrize("network", [chain(), graph(), nodes(), levels(), payload(), dips()], ids=lambda n: n.name)
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


def test_facts() -> None:
    fields = encode(chain())
    assert decode(fields).facts == {"origin": "fixed", "timesteps": 4}
    assert refused({**fields, "onespike/facts": np.array(b"{")}).field == "onespike/facts"
    assert "JSON object" in str(refused({**fields, "onespike/facts": np.array(b"[1]")}))
