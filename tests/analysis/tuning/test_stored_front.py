"""The front of an earlier search is read back from its study and from its JSON document."""

from __future__ import annotations

import json

import numpy as np
import pytest
from torch import nn

from loihi_onespike.analysis.tuning import Limits, Space, stored_front, tune
from loihi_onespike.conversion.method import Method
from loihi_onespike.data import Dataset
from loihi_onespike.errors import ConfigurationError, DataError
from loihi_onespike.json_text import json_text
from tests.support import models


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """A search of two trials with its study."""
    random = np.random.default_rng(0)
    x = random.random((40, 6)).astype(np.float32)
    data = Dataset("random", x, np.arange(40) % 3, x[:8])
    model = models.prepared(nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3)))
    study = tmp_path_factory.mktemp("study") / "search.db"
    space = Space(timesteps=(4, 8), wait_eighths=(8,), levels=(1.3,), two_sided=(False,))
    return study, tune(
        model, data, trials=2, study=study, space=space, method=Method.paper(), limits=Limits(loss_pp=99.0)
    )


def test_a_study_gives_its_points(searched):
    study, front = searched
    found = stored_front(study)
    assert found.points == front.points and found.tried == front.tried
    assert found.limits == Limits()  # a study does not hold them


def test_a_document_gives_the_front(searched, tmp_path):
    front = searched[1]
    file = tmp_path / "front.json"
    file.write_text(json_text({**front.to_dict(), "model": "named by the command"}))
    found = stored_front(file)
    assert found.to_dict() == json.loads(json_text(front.to_dict()))


def test_what_is_no_search_is_refused(searched, tmp_path):
    with pytest.raises(DataError, match="no such file"):
        stored_front(tmp_path / "none.db")
    (tmp_path / "other.json").write_text('{"points": 3}')
    with pytest.raises(DataError, match="must be the JSON document of `onespike tune --json`, got"):
        stored_front(tmp_path / "other.json")
    (tmp_path / "front.txt").write_text("")
    with pytest.raises(ConfigurationError, match="suffix must be"):
        stored_front(tmp_path / "front.txt")
    (tmp_path / "empty.db").write_bytes(b"")
    with pytest.raises(DataError, match="must be a study of `onespike tune`"):
        stored_front(tmp_path / "empty.db")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("spikes", "many"),
        ("accuracy", {"correct": 3}),
        ("accuracy", {"correct": 3, "total": 2}),
        ("latency_steps", None),
    ],
)
def test_figures_that_are_none_are_refused(searched, tmp_path, key, value):
    document = json.loads(json_text(searched[1].to_dict()))
    document["points"][0]["search"][key] = value
    file = tmp_path / "front.json"
    file.write_text(json.dumps(document))
    with pytest.raises(
        DataError, match=f"must be the JSON document of `onespike tune --json`, got ValueError: {key}: "
    ):
        stored_front(file)
