"""Kept counts: continued to the same result, and refused where they belong to another run."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from loihi_onespike.api import OneSpikeNetwork
from loihi_onespike.data.dataset import LazyImages
from loihi_onespike.errors import ConfigurationError, DataError
from loihi_onespike.evaluation import fingerprint
from loihi_onespike.evaluation.image_counts import Counts
from loihi_onespike.evaluation.ledger import Ledger
from loihi_onespike.evaluation.parts import Part, Shard, parts_of
from tests.jobs.distributed.cases import BATCH, data, network


@pytest.fixture(scope="module")
def net():
    return OneSpikeNetwork(network())


@pytest.fixture(scope="module")
def expected(net):
    x, y = data()
    return net.evaluate(x, y, batch=BATCH)


def test_parts_cover_all_images_once() -> None:
    parts = parts_of(10, 4)
    assert [(p.first, p.end) for p in parts] == [(0, 4), (4, 8), (8, 10)]
    shards = [Shard(i, 2) for i in range(2)]
    assert [[p.number for p in parts if p in s] for s in shards] == [[0, 2], [1]]
    assert str(Shard.of_text("2/2")) == "2/2"


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "a/2", "1/-2"])
def test_a_shard_that_is_none(text: str) -> None:
    with pytest.raises(ConfigurationError, match="shard: must be"):
        Shard.of_text(text)


def test_counts_add_up_and_survive_a_reduction(net) -> None:
    a = Counts(2, 1, 0, 1, {"input": 5, "conv1": 2}, {"conv1": 45})
    b = Counts(1, 1, 1, 0, {"input": 1, "conv1": 7}, {"conv1": 9})
    assert a + b == Counts(3, 2, 1, 1, {"input": 6, "conv1": 9}, {"conv1": 54})
    pairs = zip(a.numbers(net.network), b.numbers(net.network), strict=True)
    both = Counts.of_numbers(net.network, [p + q for p, q in pairs])
    assert both.spikes["conv1"] == 9 and both.synaptic_operations["conv1"] == 54 and both.images == 3
    assert both.numbers(net.network) == (a + b).numbers(net.network)


def test_an_interrupted_run_is_gone_on_with(net, expected, tmp_path) -> None:
    """The second of four parts is interrupted: the first is kept, and is not run again."""
    x, y = data()
    done: list[int] = []

    def stop(images: int, of: int) -> None:
        done.append(images)
        if images == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        net.evaluate(x, y, batch=BATCH, resume=tmp_path / "f", progress=stop)
    assert [p.name for p in sorted((tmp_path / "f").glob("part*"))] == ["part.000000.json"]
    done.clear()
    result = net.evaluate(x, y, batch=BATCH, resume=tmp_path / "f", progress=lambda d, of: done.append(d))
    assert done == [3, 6, 9, 10] and result == expected


def test_shards_by_different_numbers_of_jobs(net, expected, tmp_path) -> None:
    x, y = data()
    evaluator = net.evaluator(x, y, batch=BATCH)
    assert evaluator.run(resume=tmp_path, shard=Shard(1, 3)).images == 3  # part 1
    assert evaluator.run(resume=tmp_path, shard=Shard(0, 2)).images == 9  # parts 0 and 2 besides
    assert net.evaluate(x, y, batch=BATCH, resume=tmp_path) == expected
    assert net.evaluation_of(evaluator, evaluator.run(resume=tmp_path, shard=Shard(0, 2))) == expected


def test_what_differs_is_named(net, tmp_path) -> None:
    x, y = data()
    net.evaluate(x, y, batch=5, resume=tmp_path)
    for arguments, more, said in (
        ((x + 1, y), {"batch": 5}, "data: .* in the folder"),
        ((x, (y + 1) % 10), {"batch": 5}, "data: .* in the folder"),
        ((x, y), {"batch": 2}, "images per part: 5 in the folder, 2 in this run"),
        ((x, y), {"batch": 5, "executor": "reference"}, "executor: fast in the folder, reference in this run"),
    ):
        with pytest.raises(ConfigurationError, match=said):
            net.evaluate(*arguments, resume=tmp_path, **more)
    other = replace(net.network, populations=net.network.populations[::-1])
    assert fingerprint.of_network(other) != fingerprint.of_network(net.network)


def test_one_weight_and_one_picture_on_disk_change_the_fingerprint(net) -> None:
    first, *rest = net.network.synapses
    weight = first.op.weight.copy()
    weight.flat[0] += 2
    changed = replace(net.network, synapses=(replace(first, op=replace(first.op, weight=weight)), *rest))
    assert fingerprint.of_network(changed) != fingerprint.of_network(net.network)
    assert fingerprint.of_network(replace(net.network, facts={})) == fingerprint.of_network(net.network)
    x, y = data()
    lazy = LazyImages(lambda i: x[i], np.arange(len(x)))
    assert fingerprint.of_images(lazy, y) == fingerprint.of_images(LazyImages(lambda i: x[i], np.arange(len(x))), y)
    assert fingerprint.of_images(lazy, y) != fingerprint.of_images(LazyImages(lambda i: x[i] + 1, np.arange(len(x))), y)


@pytest.mark.parametrize("damage", ["", "[]", '{"run": "x"}', "counts"])
def test_a_damaged_part_is_named(tmp_path, damage: str) -> None:
    part = Part(0, 0, 4)
    ledger = Ledger.open(tmp_path, {"a": 1})
    ledger.keep(part, Counts(4, 1, 0, 0, {"input": 3}, {}))
    file = tmp_path / "part.000000.json"
    assert ledger.kept([part, Part(1, 4, 5)])[part].right == 1
    stored = json.loads(file.read_text())
    stored["counts"]["right"] = -1
    file.write_text(json.dumps(stored) if damage == "counts" else damage)
    with pytest.raises(DataError, match=r"part.000000.json: .*delete it"):
        ledger.kept([part])


def test_counts_of_other_images_are_not_taken(tmp_path) -> None:
    ledger = Ledger.open(tmp_path / "a", {"a": 1})
    ledger.keep(Part(0, 0, 4), Counts(3))
    with pytest.raises(DataError, match="counts of other images"):
        ledger.kept([Part(0, 0, 4)])


def test_a_folder_of_something_else(tmp_path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(DataError, match=r"must be empty or the folder of an earlier run, contains thesis\.tex"):
        Ledger.open(tmp_path, {})
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be used"):
        Ledger.open(tmp_path / "file", {})


def test_an_edited_part_is_refused_by_name(net, tmp_path) -> None:
    x, y = data()
    net.evaluate(x, y, batch=BATCH, resume=tmp_path)
    part = tmp_path / "part.000001.json"
    document = json.loads(part.read_text())
    for change in (
        {"counts": document["counts"] | {"right": document["counts"]["right"] + 1}},
        {"digest": "0" * 32},
        {"digest": None},
    ):
        part.write_text(json.dumps(document | change))
        with pytest.raises(DataError, match=r"part\.000001\.json: not the counts of this part .*delete it"):
            net.evaluate(x, y, batch=BATCH, resume=tmp_path)
    del document["digest"]
    part.write_text(json.dumps(document))
    with pytest.raises(DataError, match=r"part\.000001\.json: not the counts"):
        net.evaluate(x, y, batch=BATCH, resume=tmp_path)
