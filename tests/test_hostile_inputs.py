"""Hostile data, weights and boards are refused with a typed error, within limits of time and memory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loihi_onespike.boards.deployment.bringup.observed import FORMAT, read_observed
from loihi_onespike.boards.specification import load_board
from loihi_onespike.errors import BoardError, DataError
from tests.support.guarded import Outcome, guarded
from tests.support.hostile_inputs import INPUTS

MEGABYTES = 256
SECONDS = 5.0
ERRORS = {"npz": "DataError", "weights": "ModelLoadError", "board": "BoardError"}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    folder = tmp_path_factory.mktemp("hostile")
    found: dict[Path, Outcome] = {}
    for kind in ERRORS:
        paths = [folder / name for name, (reader, _, _) in INPUTS.items() if reader == kind]
        for path in paths:
            INPUTS[path.name][1](path)
        found |= guarded(kind, paths, seconds=SECONDS)
    return {path.name: outcome for path, outcome in found.items()}


@pytest.mark.parametrize("name", INPUTS)
def test_a_hostile_file_is_refused(name: str, outcomes: dict[str, Outcome]) -> None:
    reader, _, words = INPUTS[name]
    found = outcomes[name]
    assert found.error == ERRORS[reader], found
    assert words in found.message, found
    assert found.seconds < SECONDS and found.megabytes < MEGABYTES, found
    assert len(found.message) < 3000 and found.message.encode("utf-8")


@pytest.mark.parametrize("name", ["n" * 5000, "n" * 5000 + ".toml", "a\0b.toml", "\ud800"])
def test_names_that_no_board_has(name: str) -> None:
    with pytest.raises(BoardError) as caught:
        load_board(name)
    assert len(str(caught.value)) < 1000 and str(caught.value).encode("utf-8")


def test_a_lone_surrogate_in_a_message_is_escaped(tmp_path: Path) -> None:
    """A name from a JSON file may hold one; without the escape the message could not be printed."""
    path = tmp_path / "observed.json"
    path.write_text(json.dumps({"format": FORMAT, "networks": {"\ud800": {}}}))
    with pytest.raises(DataError, match=r"networks must be among relay, .*, got \\ud800"):
        read_observed(path)
    assert str(DataError("a \ud800 b ü")) == "a \\ud800 b ü"
