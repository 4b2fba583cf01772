"""The figures of a report are those of evaluate, diagnose, map and profile, and what it shows is what was sent."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import loihi_onespike as los
from loihi_onespike.analysis.diagnosis import diagnose
from loihi_onespike.analysis.diagnosis.ann_values import ann_values
from loihi_onespike.analysis.report.content.board import board_sections
from loihi_onespike.analysis.report.content.collect import collect
from loihi_onespike.analysis.report.content.measured_spikes import measure
from loihi_onespike.analysis.report.content.spikes import picture
from loihi_onespike.analysis.report.content.value_counts import borders, value_counts_of
from loihi_onespike.api import OneSpikeNetwork
from loihi_onespike.boards.energy.activity import Activity
from loihi_onespike.boards.energy.estimate import estimate_board
from loihi_onespike.boards.energy.estimate_document import estimate_document
from loihi_onespike.boards.mapping import map_network
from loihi_onespike.boards.specification import load_board
from loihi_onespike.data.dataset import spread
from loihi_onespike.executors import reference
from loihi_onespike.json_text import plain
from tests.analysis.report.conftest import DIAGNOSED, IMAGES, PROFILED, SHOWN
from tests.strategies import random_codes
from tests.support import models
from tests.support.graph_models import TwoLayers, adjacency, with_seed
from tests.support.networks import levels, nodes, products, sides

SECTIONS = ("conversion", "accuracy", "errors", "spikes", "levels", "timeline", "board", "energy", "tuning")


def test_all_sections_are_there(document):
    assert [s for s in SECTIONS if "missing" in document[s]] == []


def test_accuracy_is_that_of_evaluate(document, small):
    found = small["net"].evaluate(small["x"], small["y"], model=small["model"], board="oheo_gulch")
    assert document["accuracy"] == json.loads(json.dumps(plain(found.to_dict())))


def test_errors_are_those_of_diagnose(document, small):
    chosen = spread(IMAGES, DIAGNOSED)
    found = diagnose(small["net"], small["x"][chosen], small["y"][chosen], small["model"], board="oheo_gulch")
    errors = dict(document["errors"])
    assert errors.pop("whole") == found.error.relative**2
    assert errors == json.loads(json.dumps(plain(found.document())))


def test_board_and_energy_are_those_of_map_and_profile(document, small):
    chosen = spread(IMAGES, PROFILED)
    network = small["net"].network
    activity = Activity.of(network, small["net"].trace(small["x"][chosen]).layers)
    mapping = map_network(network, load_board("oheo_gulch"), activity.per_neuron())
    estimate = estimate_board(network, mapping, activity)
    assert document["energy"] == json.loads(json.dumps(plain(estimate_document(estimate))))
    cores = document["board"]["cores_shown"]
    assert [(c.layer, c.chip, c.core) for c in mapping.placement.cores] == [
        (cores["layers"][y], chip, core)
        for y, chip, core in zip(cores["layer"], cores["chip"], cores["core"], strict=True)
    ]


def test_idle_cores_are_shown_where_asked(document, subject):
    placed, energy = board_sections(measure(subject), load_board("oheo_gulch"), fill=True)
    assert len(placed["cores_shown"]["layer"]) == energy["cores"] > document["energy"]["cores"]


def test_spikes_that_are_shown_are_those_that_were_sent(document, small):
    chosen = spread(IMAGES, PROFILED)[:SHOWN]
    trace = small["net"].trace(small["x"][chosen])
    for p in document["spikes"]["populations"]:
        words = trace.layers[p["name"]].words.reshape(SHOWN, -1)
        assert p["phases"] == words.tolist() and p["step"] == 1
        code = small["net"].network.by_name[p["name"]].code
        for image, histogram in zip(words, p["histograms"], strict=True):
            assert sum(histogram[1:]) == code.count_spikes(image).sum() and histogram[0] == (image == 0).sum()
    images = document["spikes"]["images"]
    assert [i["label"] for i in images] == ["zero", "two", "zero"]
    assert [i["chosen"] == i["label"] for i in images] == [i["right"] for i in images]
    assert images[0]["picture"]["width"] == 8 and max(images[0]["picture"]["pixels"]) == 255


def test_windows_follow_the_network(document, small):
    network = small["net"].network
    windows = {p["name"]: p for p in document["timeline"]["populations"]}
    for p in network.hidden:
        first = network.starts[p.name] + 1
        assert windows[p.name]["listens"][0] == first
        assert windows[p.name]["sends"] == [first + p.wait, first + p.wait + p.timesteps - 1]
    assert windows[network.readout.name]["listens"][1] == document["timeline"]["latency_steps"]


def test_potentials_and_thresholds_tell_the_phases(small):
    """With full wait, the phase of a neuron is the first whose threshold its potential reaches, on the common axis."""
    net = small["net"]
    trace = net.trace(small["x"])
    for p in net.network.hidden:
        counts = value_counts_of(p)
        if counts is None:
            assert p.kind == "max_pool"
            continue
        counts.add(trace.layers[p.name].v)
        x = trace.layers[p.name].v * (p.membrane.unit / (p.membrane.gain * p.scale))
        assert counts.total == x.size
        low, high = borders(p)[:, 0], borders(p)[:, 2]
        words = trace.layers[p.name].words
        for word in range(1, p.timesteps + 1):
            of_word = x[words == word]
            assert (of_word >= low[word - 1] - 1e-9).all()
            assert word == 1 or (of_word < high[word - 2] + 1e-9).all()


def test_potentials_and_thresholds_of_a_product_share_an_axis():
    network = products()
    trace = reference.run(network, random_codes(network, 1, images=20))
    for p in (p for p in network.hidden if p.product is not None):
        counts, v, words = value_counts_of(p), trace.layers[p.name].v, trace.layers[p.name].words
        assert counts is not None and v is not None and words is not None
        counts.add(v)
        assert counts.total == v.size
        x = v * (p.unit_at_end / p.scale)
        low = borders(p)[:, 0]
        for word in range(1, len(p.code.messages) + 1):
            assert (x[words == word] >= low[word - 1] - 1e-9).all()


def test_thresholds_of_both_signs_and_of_codebooks():
    for network in (nodes(), levels()):
        for p in network.hidden:
            found = borders(p)
            assert found.shape == (len(p.code.messages), 3) and (found[:, 0] <= found[:, 2]).all()
            if p.signed:
                assert borders(p, "negative").shape == found.shape


def test_thresholds_of_negative_spikes_are_those_of_neurons_that_send_them():
    channels, neurons = sides().hidden
    # The thresholds of the channels are 9000, 11000, 13000 and 15000; the second and fourth send negative spikes.
    assert borders(channels, "negative")[0] == pytest.approx(borders(channels)[0] * [11 / 9, 13 / 12, 1], rel=1e-3)
    assert np.array_equal(borders(neurons, "negative"), borders(neurons))
    none = replace(channels, one_sided=np.ones((), bool))
    assert np.isinf(borders(none, "negative")).all() and np.array_equal(borders(none), borders(channels))


def test_what_is_not_given_is_left_out_with_a_remedy(subject):
    net = OneSpikeNetwork(subject.net.network)
    bare = collect(replace(subject, net=net, model=None, y=None, front=None))
    assert "labels" in bare["accuracy"]["missing"]
    assert "--model" in bare["errors"]["missing"]
    assert "--tune" in bare["tuning"]["missing"]
    assert "missing" not in bare["spikes"] and bare["spikes"]["images"][0]["label"] is None


@pytest.mark.parametrize(
    ("shape", "size"), [((1, 8, 8), (8, 8, 64)), ((3, 100, 50), (50, 25, 3750)), ((6, 7), (6, 7, 42))]
)
def test_pictures(shape, size):
    values = np.random.default_rng(0).random(shape)
    found = picture(values)
    assert found is not None
    assert (found["height"], found["width"], len(found["pixels"])) == size
    assert picture(np.zeros(12)) is None and picture(np.zeros((5, 9, 9))) is None


def test_values_of_the_ann_are_those_of_its_layers(small):
    """The first ReLU of the model, from torch, against what the errors are measured from."""
    net, model = small["net"], small["model"]
    (values,) = ann_values(net, model, small["x"][:4])
    first = net.network.hidden[0]
    expected = model[1](model[0](torch.from_numpy(small["x"][:4]))).detach().numpy()
    np.testing.assert_allclose(values[first.name] + first.offset, expected, atol=1e-5)


def test_spikes_with_payload_and_bent_activations(subject):
    x = np.random.default_rng(1).random((8, 6)).astype(np.float32)
    model = models.prepared(nn.Sequential(nn.Linear(6, 5), nn.Sigmoid(), nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3)))
    net = los.convert(model, x, timesteps=4, payload_bits=1)
    found = collect(replace(subject, net=net, x=x, y=None, model=None, front=None))
    bent, plain_one = found["levels"]["populations"]
    assert (bent["same_axis"], plain_one["same_axis"], len(bent["words"])) == (False, True, 8)
    assert {w["message"] for w in bent["words"]} != {1}
    words = net.trace(x).layers[bent["name"]].words
    assert words is not None and np.abs(found["spikes"]["populations"][1]["phases"]).max() <= 4 < np.abs(words).max()
    assert found["spikes"]["images"][0]["picture"] is None
    loihi_1 = collect(replace(subject, net=net, x=x, y=None, model=None, board=load_board("nahuku_8")))
    assert "--board" in loihi_1["board"]["missing"] and "--board" in loihi_1["energy"]["missing"]


def test_a_dip_has_two_ends(subject):
    x = np.random.default_rng(1).random((8, 6)).astype(np.float32)
    model = models.prepared(nn.Sequential(nn.Linear(6, 5), nn.SiLU(), nn.Linear(5, 3)))
    net = los.convert(model, x, timesteps=6)
    found = collect(replace(subject, net=net, x=x, y=None, model=model, front=None))
    (silu,) = found["levels"]["populations"]
    assert silu["dip"] and not silu["same_axis"]
    sent = [w for w in silu["words"] if w["negative"][1] > -10]
    assert sent and all(w["far"][1] <= w["negative"][1] < 0 for w in sent)


def test_a_graph_is_one_sample(subject):
    x = (adjacency(20), torch.randn(20, 5, generator=torch.Generator().manual_seed(1)))
    net = los.convert(with_seed(lambda: TwoLayers(5)), x, timesteps=6, method="paper")
    y, mask = np.arange(20) % 3, np.arange(20) < 15
    found = collect(replace(subject, net=net, x=x, y=y, mask=mask, model=net.model, front=None))
    assert (found["samples"], found["accuracy"]["accuracy"]["total"]) == (1, 15)
    assert "graphs" in found["errors"]["missing"] and found["spikes"]["images"][0]["label"] is None
    assert found["board"]["cores"] > 0
