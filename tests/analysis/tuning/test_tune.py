"""A search on the demo's digits: interrupted, continued and shared; and which images it uses."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from loihi_onespike.analysis.tuning import Limits, Search, Space, tune
from loihi_onespike.analysis.tuning.images import split
from loihi_onespike.analysis.tuning.limits import NetworkFigures, dominates
from loihi_onespike.analysis.tuning.study import Study, storage_of
from loihi_onespike.analysis.tuning.task import Task
from loihi_onespike.conversion.calibration import Method
from loihi_onespike.data import load_data
from loihi_onespike.data.dataset import Dataset
from loihi_onespike.errors import ConfigurationError, DataError, HeadroomError
from loihi_onespike.evaluation import Accuracy
from loihi_onespike.models.digits_cnn import load_digits_cnn
from tests.support import models

SPACE = Space(timesteps=(3, 4, 6, 8), wait_eighths=(4, 6, 8), levels=("auto", 1.4, 1.7))
OPTIONS: dict[str, Any] = {
    "space": SPACE,
    "method": Method.paper(),
    "search_images": 40,
    "held_out_images": 60,
    "input_bits": 5,
}


@pytest.fixture(scope="module")
def data():
    return load_data("digits", calibration_images=32)


@pytest.fixture(scope="module")
def model():
    return load_digits_cnn()


@pytest.fixture(scope="module")
def real(model, data):
    """Networks that are really converted."""
    return tune(model, data, trials=5, **OPTIONS)


@pytest.fixture
def made(monkeypatch):
    """Settings in the order in which they were measured; the figures are made up, so that nothing is converted."""
    settings = []

    def measure(task, setting, part):
        settings.append(setting)
        level = 4 if setting.levels == "auto" else 10 * setting.levels
        right = min(30 + 3 * setting.timesteps - round(level) + 2 * setting.wait, 95)
        spikes = 0.3 + 0.01 * level + 0.001 * setting.timesteps
        total = len(part.labels)
        accuracy = Accuracy(round(right / 100 * total), total)
        return NetworkFigures(accuracy, Accuracy(total, total), 8 + 3 * setting.wait, 20, spikes, 1e4, 9.0)

    monkeypatch.setattr(Task, "measure", measure)
    return settings


def test_no_point_of_the_front_is_worse_than_another_one(real):
    figures = [p.held_out for p in real.points]
    assert len(real.tried) == 5 and figures
    assert not any(dominates(a, b) for a in figures for b in figures)
    assert all(p.search.accuracy.total == 40 and p.held_out.accuracy.total == 60 for p in real.points)
    assert [p.held_out.latency_steps for p in real.points] == sorted(p.held_out.latency_steps for p in real.points)


def test_figures_are_those_of_the_converted_network(real, model, data):
    import loihi_onespike as los

    point = real.points[0]
    parts = split(data, 40, 60, 0)
    net = los.convert(model, data.calibration, input_bits=5, **point.setting.keywords(Method.paper()))
    expected = net.evaluate(parts.held_out.images, parts.held_out.labels)
    assert point.held_out.accuracy == expected.accuracy and point.held_out.spikes == expected.hidden_spikes_per_neuron
    assert point.held_out.latency_steps == net.latency_steps


@pytest.mark.parametrize(("pooling", "objective", "sides"), [(True, "accuracy", 1), (False, "accuracy", 2)])
def test_sides_are_searched_where_they_make_a_difference(made, data, pooling, objective, sides):
    """A ReLU that max pooling reads is never two-sided: both settings would be the same network."""
    pool = torch.nn.MaxPool2d(4) if pooling else torch.nn.AvgPool2d(4)
    layers = torch.nn.Conv2d(1, 2, 3, padding=1), torch.nn.ReLU(), pool, torch.nn.Flatten(), torch.nn.Linear(8, 10)
    tune(torch.nn.Sequential(*layers), data, trials=12, **{**OPTIONS, "method": None, "objective": objective})
    assert len({setting.two_sided for setting in made}) == sides


def test_the_front_so_far_needs_no_conversion(made, model, data):
    search = Search(model, data, space=SPACE, method=Method.paper(), search_images=40, held_out_images=60)
    search.run(6)
    count = len(made)
    found = search.front_so_far()
    assert len(made) == count and 0 < len(found) <= 6
    assert not any(dominates(a, b) for _, a in found for _, b in found)


@pytest.mark.thorough
@pytest.mark.parametrize("suffix", [".db", ".journal"])
def test_an_interrupted_search_ends_as_one_that_was_not(made, model, data, tmp_path, monkeypatch, suffix):
    whole = tune(model, data, trials=14, **OPTIONS)
    uninterrupted = made.copy()
    made.clear()
    measure = Task.measure

    def interrupted(task, setting, part):
        if len(made) == 9:
            monkeypatch.setattr(Task, "measure", measure)
            raise KeyboardInterrupt
        return measure(task, setting, part)

    monkeypatch.setattr(Task, "measure", interrupted)
    file = tmp_path / f"s{suffix}"
    with pytest.raises(KeyboardInterrupt):
        tune(model, data, trials=14, study=file, **OPTIONS)
    again = tune(model, data, trials=14, study=file, **OPTIONS)
    assert made == uninterrupted and len(whole.points) > 1
    assert list(again.tried.items()) == list(whole.tried.items())
    assert [p.held_out for p in again.points] == [p.held_out for p in whole.points]
    tune(model, data, trials=14, study=file, **OPTIONS)
    assert made == uninterrupted  # all figures are there


def test_a_trial_that_a_killed_process_left_behind_is_made_again(made, model, data, tmp_path):
    parts = split(data, 40, 60, 0)
    space = replace(SPACE, two_sided=(False,))
    task = Task(model, parts, Method.paper(), {"input_bits": 5})
    storage = storage_of(tmp_path / "s.journal")
    killed = Study(storage, task.setup(space, 0), space, Limits(), 0)
    asked = killed.ask()
    assert asked is not None
    _, setting = asked
    beside = Study(storage_of(tmp_path / "s.journal"), task.setup(space, 0), space, Limits(), 0, shared=True)
    other = beside.ask()
    assert other is not None and other[1] != setting  # it may still be at work
    found = tune(model, data, trials=2, study=tmp_path / "s.journal", **OPTIONS)
    assert next(iter(found.tried)) == setting


@pytest.mark.parametrize(
    ("method", "fixed", "recorded"),
    [
        (Method(), {}, {"objective": "balanced"}),
        (Method(), {"objective": "auto", "input_bits": 5}, {"objective": "balanced", "input_bits": 5}),
        (Method(), {"objective": "energy", "price": 3.0}, {"objective": "energy", "price": 3.0}),
        (Method(), {"objective": "accuracy"}, {}),
        (Method.paper(), {}, {}),
    ],
)
def test_a_study_knows_the_objective_of_its_trials(model, data, method, fixed, recorded):
    task = Task(model, split(data, 40, 60, 0), method, fixed)
    assert task.setup(SPACE, 0)["options"] == recorded


@pytest.mark.parametrize(
    ("fixed", "recorded"),
    [
        ({}, {"objective": "balanced", "payload_bits": 2}),
        ({"payload_bits": "auto"}, {"objective": "balanced", "payload_bits": 2}),
        ({"payload_bits": 2}, {"objective": "balanced", "payload_bits": 2}),
        ({"payload_bits": 0}, {"objective": "balanced"}),  # as studies from before "auto" have it
        ({"account": "nahuku_32"}, {"objective": "balanced", "account": "nahuku_32"}),
    ],
    ids=str,
)
def test_a_study_knows_the_payload_of_its_trials(fixed, recorded):
    x = models.inputs(60).numpy()
    images = Dataset("made up", x, np.zeros(60, np.int64), x[:20])
    task = Task(models.make("depthwise"), split(images, 20, 20, 0), Method(), fixed)
    assert task.setup(SPACE, 0)["options"] == recorded


def test_a_search_ends_when_all_was_tried(made, model, data):
    few = Space(timesteps=(3, 4), wait_eighths=(8,), levels=("auto", 1.5))
    found = tune(model, data, trials=50, **{**OPTIONS, "space": few})
    assert len(found.tried) == 4


def test_the_seed_decides(made, model, data):
    first, same, other = (list(tune(model, data, trials=14, seed=seed, **OPTIONS).tried) for seed in (0, 0, 1))
    assert first == same and first != other
    assert first[:6] == other[:6]  # the grid


def test_the_sampler_finds_what_lies_within_the_limits(made, model, data):
    """Twelve of 585 settings keep both limits, so of 14 drawn at random hardly one would."""
    limits = Limits(latency_steps=20, spikes=0.35)
    found = tune(model, data, trials=20, limits=limits, **{**OPTIONS, "space": Space(two_sided=(False,))})
    later = list(found.tried.values())[6:]
    assert sum(limits.kept(m) for m in later) >= 3


def test_settings_without_headroom_are_told_and_not_tried_again(made, model, data, monkeypatch):
    measure, refused = Task.measure, []

    def narrow(task, setting, part):
        if setting.timesteps == 8:
            refused.append(setting)
            raise HeadroomError("relu1", "potential", 25, 24, "fewer timesteps")
        return measure(task, setting, part)

    monkeypatch.setattr(Task, "measure", narrow)
    found = tune(model, data, trials=8, **OPTIONS)
    assert refused and list(found.refused) == refused and len(set(refused)) == len(refused)
    assert "requires 25 bits" in found.refused[refused[0]] and len(found.tried) + len(refused) == 8


def test_a_study_of_something_else_is_refused(made, model, data, tmp_path):
    file = tmp_path / "s.db"
    tune(model, data, trials=1, study=file, **OPTIONS)
    with pytest.raises(ConfigurationError, match=r"got another search images, seed; .*--study"):
        tune(model, data, trials=1, study=file, seed=5, **OPTIONS)
    with pytest.raises(ConfigurationError, match="got another options"):
        tune(model, data, trials=1, study=file, **{**OPTIONS, "input_bits": 6})


def test_files_that_are_no_study(model, data, tmp_path):
    for name in ("s.db", "s.journal"):
        (tmp_path / name).write_bytes(b"this is no study\n" * 100)
        with pytest.raises(DataError, match=rf"{name}: not a readable study"):
            tune(model, data, trials=1, study=tmp_path / name, **OPTIONS)
    with pytest.raises(ConfigurationError, match=r"suffix must be .db.*, got '.txt'"):
        tune(model, data, trials=1, study=tmp_path / "s.txt", **OPTIONS)


def test_options_that_the_search_itself_chooses(model, data):
    with pytest.raises(ConfigurationError, match=r"options must be among weight_bits.*, got wait"):
        tune(model, data, wait=3)


@pytest.mark.parametrize("separate", [True, False])
def test_no_image_does_two_things(separate):
    """Every image is its own number; with one part only the calibration images are drawn anew."""
    x, y = np.arange(100.0)[:, None], np.zeros(100, np.int64)
    given = np.arange(200.0, 230.0)[:, None] if separate else x[:30]
    parts = split(Dataset("numbers", x, y, given, calibration_is_separate=separate), 40, None, 0)
    used = [set(np.asarray(part.images).ravel()) for part in (parts.calibration, parts.search, parts.held_out)]
    assert [len(u) for u in used] == ([30, 40, 60] if separate else [30, 35, 35])
    assert not used[0] & used[1] and not used[1] & used[2] and not used[0] & used[2]
    with pytest.raises(DataError, match="requires 2 images besides those of the calibration"):
        split(Dataset("one", x[:1], y[:1], given), 1, None, 0)


def test_processes_share_a_search(made, model, data, tmp_path):
    """Two that take turns make each setting once; the front is measured when both have ended."""
    options = {k: v for k, v in OPTIONS.items() if k != "input_bits"} | {"fixed": {"input_bits": 5}}
    first, second = (Search(model, data, study=tmp_path / "s.journal", **options) for _ in range(2))
    first.run(3, shared=True)
    second.run(5, shared=True)
    first.run(6, shared=True)
    assert len(made) == len(set(made)) == 6
    assert list(second.front().tried) == made[:6]
