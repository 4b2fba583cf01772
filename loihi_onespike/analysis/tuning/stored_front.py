"""The front of an earlier search, from the file of its study or from the JSON document of `onespike tune`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna

from loihi_onespike.analysis.tuning.front import Front, Point, not_dominated
from loihi_onespike.analysis.tuning.limits import Limits, NetworkFigures
from loihi_onespike.analysis.tuning.setting import ConversionSetting, Space
from loihi_onespike.analysis.tuning.study import MEASURED, NAME, REFUSED, SETUP, readable, storage_of
from loihi_onespike.errors import DataError, OneSpikeError
from loihi_onespike.regular_files import check_readable

HELD_OUT = "held out "
"""Figures on held-out images are stored under this word, the digest of the images and the number of the trial."""


def stored_front(path: str | Path) -> Front:
    """The front of a search that was made before; nothing is converted and the model is not needed.

    A study does not store limits, so its front has none.

    Args:
        path: .db or .journal as of `onespike tune --study`, or .json, the document of `onespike tune --json`.

    Raises:
        DataError: the file is missing or neither of the two, or the search has no front yet.
        ConfigurationError: the suffix is none of those.
    """
    file = Path(path)
    check_readable(file, DataError, "no such file; `onespike tune --study FILE` writes one")
    return _of_document(file) if file.suffix == ".json" else _of_study(file)


def _of_document(file: Path) -> Front:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        points = [
            Point(_setting(p["setting"]), int(p["trial"]), _figures(p["search"]), _figures(p["held_out"]))
            for p in document["points"]
        ]
        tried = {_setting(t["setting"]): _figures(t["search"]) for t in document["tried"]}
        refused = {_setting(t["setting"]): str(t["reason"]) for t in document["refused"]}
        limits = Limits(**document["limits"])
        front = Front(points, limits, dict(document["images"]), tried, refused, document["minimise"])
        front.to_dict()
        return front
    except (*DAMAGED, OSError, OneSpikeError) as error:
        said = ascii(f"{type(error).__name__}: {error}"[:SHOWN])[1:-1]
        raise DataError(f"{file}: must be the JSON document of `onespike tune --json`, got {said}") from error


DAMAGED = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
"""What values of other types than those that were written lead to."""
SHOWN = 300
"""Characters of the reason that an error shows."""


def _setting(stored: Mapping[str, Any]) -> ConversionSetting:
    return ConversionSetting.from_dict(stored)


def _figures(stored: dict[str, Any]) -> NetworkFigures:
    # α is infinite where nothing spikes, which JSON writes as null.
    return NetworkFigures.from_dict({**stored, "alpha": float("inf") if stored["alpha"] is None else stored["alpha"]})


def _of_study(file: Path) -> Front:
    storage = storage_of(file)
    with readable(file):
        names = optuna.get_all_study_names(storage)
        study = optuna.load_study(study_name=NAME, storage=storage) if NAME in names else None
        if study is None or SETUP not in study.user_attrs:
            raise DataError(f"{file}: must be a study of `onespike tune`, got one without its record")
        return _of_trials(file, study)


def _of_trials(file: Path, study: optuna.Study) -> Front:
    space = Space(**{name: tuple(values) for name, values in study.user_attrs[SETUP]["space"].items()})
    tried: dict[ConversionSetting, NetworkFigures] = {}
    refused: dict[ConversionSetting, str] = {}
    number: dict[int, ConversionSetting] = {}
    for trial in study.get_trials(deepcopy=False):
        if MEASURED in trial.user_attrs:
            setting = space.setting(trial.params)
            tried[setting] = NetworkFigures.from_dict(trial.user_attrs[MEASURED])
            number[trial.number] = setting
        elif REFUSED in trial.user_attrs:
            refused[space.setting(trial.params)] = str(trial.user_attrs[REFUSED])
    measured: dict[str, dict[int, NetworkFigures]] = {}
    for key, figures in study.user_attrs.items():
        if key.startswith(HELD_OUT):
            digest, trial_number = key.split()[-2:]
            if int(trial_number) in number:
                measured.setdefault(digest, {})[int(trial_number)] = NetworkFigures.from_dict(figures)
    digest, found = max(measured.items(), key=lambda entry: len(entry[1]), default=("", {}))
    if not found:
        raise DataError(f"{file}: must hold a search with its front, got trials alone; run `onespike tune` to its end")
    held_out = {number[n]: figures for n, figures in found.items()}
    trial_of = {setting: n for n, setting in number.items()}
    points = [Point(s, trial_of[s], tried[s], held_out[s]) for s in not_dominated(held_out)]
    points.sort(key=lambda p: (p.held_out.latency_steps, p.held_out.spikes))
    images = {"held_out": {"source": "held-out images of the search", "positions_sha256": digest}}
    front = Front(points, Limits(), images, tried, refused)
    front.to_dict()
    return front
