"""The fields that a network becomes, against values worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from loihi_onespike.core.graphs.network import Network
from loihi_onespike.errors import GraphError
from netx_export.encode import encode, gather_kind, lifted
from netx_export.layout import FIELDS, pattern
from tests.support.networks import BASE, chain, dips, graph, levels, nodes, payload, sides


def test_the_fields_of_a_chain() -> None:
    fields = encode(chain())
    kinds = [fields[f"layer/{n}/type"].tolist() for n in range(6)]
    assert kinds == [[b"input"], [b"conv"], [b"pool"], [b"conv"], [b"flatten"], [b"dense"]]
    assert [fields[f"layer/{n}/shape"].tolist() for n in (0, 1, 4, 5)] == [[1, 8, 8], [3, 8, 8], [16], [10]]
    assert fields["layer/1/kernelSize"].tolist() == [3, 3] and fields["layer/1/padding"].tolist() == [1, 1]
    assert fields["layer/0/onespike/bits"] == 8 and fields["layer/0/onespike/code"] == b"binary"
    assert fields["layer/3/neuron/gainMant"] == BASE.mant == 5325
    assert fields["layer/3/neuron/inputSteps"] == 4 and fields["layer/3/neuron/wait"] == 4
    assert fields["layer/5/onespike/finish"] == b"softmax" and fields["layer/5/neuron/type"].tolist() == [b"READOUT"]
    assert fields["layer/5/onespike/synapse/0/gather"] == b"flatten"
    assert fields["simulation/tSample"] == chain().latency_steps


def test_absent_fields_mean_the_default() -> None:
    fields = encode(graph())
    late = "layer/3"
    assert fields[f"{late}/delay"] == 3 and f"{late}/wgtExp" not in fields
    assert fields["layer/2/wgtExp"] == 1 and "layer/2/delay" not in fields
    # Kernel (2, 3) with padding (1, 0) and (2, 2): the sides differ, so NetX's padding is absent.
    assert "layer/1/padding" not in fields
    assert fields["layer/1/onespike/synapse/0/padding"].tolist() == [[1, 0], [2, 2]]


def test_a_second_group_keeps_its_fields_below_the_layer() -> None:
    fields = encode(graph())
    second = "layer/4/onespike/synapse/1"
    assert fields[f"{second}/pre"] == b"late" and fields[f"{second}/gather"] == b"index"
    assert fields[f"{second}/index"].shape == (4, 4, 4) and fields[f"{second}/index"][0, 0, 0] == -1
    assert fields[f"{second}/wgtExp"] == 2 and "layer/4/wgtExp" not in fields


def test_codes_and_gains() -> None:
    fields = encode(levels())
    assert "layer/1/neuron/base" not in fields
    # Levels 0.8, 0.5, 0.25, 0.1 have the ratios 1.25, 1.6, 2, 2.5. The second becomes 6554/4096 = 1.6001, which the
    # last one makes up for.
    assert fields["layer/1/neuron/levelGains"].tolist() == [5120, 6554, 8192, 10239]
    assert fields["layer/1/neuron/offset"].shape == (3, 1, 1)
    signed = encode(nodes())
    assert signed["layer/1/neuron/negativeMant"].shape == (4,) and "layer/2/neuron/negativeMant" not in signed


@pytest.mark.parametrize(
    "network", [chain(), graph(), nodes(), levels(), payload(), dips(), sides()], ids=lambda n: n.name
)
def test_every_field_is_in_the_layout(network: Network) -> None:
    for path, array in encode(network).items():
        field = FIELDS[pattern(path)]
        assert array.dtype.kind == "S" if field.dtype == "S" else array.dtype == np.dtype(field.dtype), path
        assert field.axes is None or array.ndim == len(field.axes), path


def test_shapes_of_rank_two_are_lifted() -> None:
    assert lifted((3, 7)) == (3, 1, 7) and lifted((3, 4, 5)) == (3, 4, 5) and lifted((9,)) == (9,)


def test_gathers() -> None:
    (first, *_, last) = chain().synapses
    assert gather_kind(first, (1, 8, 8)) == "none" and gather_kind(last, (4, 2, 2)) == "flatten"
    swapped = replace(last, index=np.arange(16, dtype=np.int32)[::-1].copy())
    assert gather_kind(swapped, (4, 2, 2)) == "index"


def test_synapse_names_used_twice() -> None:
    network = chain()
    with pytest.raises(GraphError, match=r"used twice: \['conv1'\]"):
        encode(replace(network, synapses=(network.synapses[0], *network.synapses)))


def test_facts_of_numpy_are_written_as_numbers() -> None:
    fields = encode(replace(chain(), facts={"loss": np.float64(0.5), "counts": np.arange(3)}))
    assert fields["onespike/facts"].item() == b'{"loss": 0.5, "counts": [0, 1, 2]}'


@pytest.mark.parametrize("value", [np.nan, np.inf, object()])
def test_facts_that_are_no_json(value: object) -> None:
    with pytest.raises(GraphError, match=r"facts: .*they must be JSON: text, finite numbers, lists, maps"):
        encode(replace(chain(), facts={"loss": value}))
