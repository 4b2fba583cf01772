"""The stored search: an optuna study in a file, which several runs and processes can continue.

A trial is one conversion. Its random numbers follow from the seed and the number of trials before it, so that an
interrupted search, once continued, has the same result as an uninterrupted one.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import BaseStorage, InMemoryStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from loihi_onespike.analysis.tuning.limits import Limits, NetworkFigures
from loihi_onespike.analysis.tuning.setting import ConversionSetting, Space
from loihi_onespike.data.dataset import shuffled
from loihi_onespike.errors import ConfigurationError, DataError, OneSpikeError

NAME = "onespike"
SQLITE, JOURNAL = (".db", ".sqlite", ".sqlite3"), (".journal", ".log")
MEASURED, REFUSED, REPEATED, SETUP = "measured", "refused", "repeated", "setup"
ORDERED = ("timesteps", "wait_eighths")
SHOWN = 300
"""Characters of the reason that an error shows."""


class Study:
    """Finished trials of a search and the choice of the next one.

    Args:
        storage: from `storage_of`.
        setup: everything that the figures depend on; a file with another setup is refused.
        space: the search space.
        limits: limits that guide the search.
        seed: seed of the search.
        shared: other processes work on the file; otherwise trials that never ended are marked as failed.

    Raises:
        ConfigurationError: the file belongs to another search.
    """

    def __init__(
        self, storage: Any, setup: Mapping[str, Any], space: Space, limits: Limits, seed: int, shared: bool = False
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.space, self.limits, self.seed = space, limits, seed
        with _quiet(), readable("study"):
            self._study = optuna.create_study(
                study_name=NAME, storage=storage, directions=["minimize"] * 3, load_if_exists=True
            )
            self._check_setup(setup)
            self._known()
            self.finished  # noqa: B018  a damaged file is found before long work
        if not shared:
            for trial in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
                self._study.tell(trial.number, state=TrialState.FAIL)

    def _check_setup(self, setup: Mapping[str, Any]) -> None:
        wanted = json.loads(json.dumps(setup))
        stored = self._study.user_attrs.get(SETUP)
        if stored is None:
            self._study.set_user_attr(SETUP, wanted)
        elif stored != wanted:
            other = ", ".join(k for k in wanted if stored.get(k) != wanted[k]) or "what it stores"
            raise ConfigurationError(
                f"study: must belong to the same model, data, seed and space, got another {other}; name another file "
                "with --study"
            )

    @property
    def finished(self) -> dict[ConversionSetting, tuple[int, NetworkFigures | str]]:
        """Number of every finished trial with its figures, or with the reason why it was refused."""
        found: dict[ConversionSetting, tuple[int, NetworkFigures | str]] = {}
        for trial in self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED)):
            if MEASURED in trial.user_attrs:
                found[self._setting(trial)] = trial.number, NetworkFigures.from_dict(trial.user_attrs[MEASURED])
            elif REFUSED in trial.user_attrs:
                found[self._setting(trial)] = trial.number, str(trial.user_attrs[REFUSED])
        return found

    def ask(self) -> tuple[optuna.Trial, ConversionSetting] | None:
        """Next setting that no trial had, from the grid and then from the sampler; None where none is left."""
        known = self._known()
        fixed = next((p for p in self.space.grid() if self.space.setting(p) not in known), None)
        trial, setting = self._asked(fixed)
        while setting in self._known(before=trial.number):
            trial.set_user_attr(REPEATED, True)
            self._study.tell(trial, state=TrialState.PRUNED)
            unknown = self._unknown()
            if unknown is None:
                return None
            trial, setting = self._asked(unknown)
        return trial, setting

    def tell(self, trial: optuna.Trial, result: NetworkFigures | str) -> None:
        """Store the figures of a trial, or the reason why it was refused."""
        if isinstance(result, NetworkFigures):
            trial.set_user_attr(MEASURED, result.to_dict())
            for name, excess in self.limits.excess(result).items():
                trial.set_constraint(name, excess)  # above 0 means violated to the sampler
            with _quiet():
                self._study.tell(trial, values=result.objectives)
        else:
            trial.set_user_attr(REFUSED, result)
            self._study.tell(trial, state=TrialState.PRUNED)

    def interrupted(self, trial: optuna.Trial) -> None:
        """Mark a trial as interrupted, so that its setting is tried again."""
        self._study.tell(trial, state=TrialState.FAIL)

    def kept(self, key: str) -> Any:
        """Value that `keep` stored under a key; None where there is none."""
        return self._study.user_attrs.get(key)

    def keep(self, key: str, value: Any) -> None:
        """Store JSON-like data with the study."""
        self._study.set_user_attr(key, value)

    def _asked(self, fixed: Mapping[str, int] | None) -> tuple[optuna.Trial, ConversionSetting]:
        with _quiet():
            self._study.sampler = optuna.samplers.TPESampler(seed=self._next_seed(), multivariate=True)
            if fixed is not None:
                self._study.enqueue_trial(dict(fixed))
            trial = self._study.ask()
            parameters: dict[str, int] = {}
            for name, values in vars(self.space).items():
                if name in ORDERED:
                    parameters[name] = trial.suggest_int(name, 0, len(values) - 1)
                else:
                    parameters[name] = trial.suggest_categorical(name, tuple(range(len(values))))
        return trial, self.space.setting(parameters)

    def _next_seed(self) -> int:
        ended = [t for t in self._study.get_trials(deepcopy=False) if t.state != TrialState.FAIL]
        return self.seed * 1_000_003 % 2**31 + len(ended)

    def _setting(self, trial: FrozenTrial) -> ConversionSetting:
        return self.space.setting(trial.params)

    def _known(self, before: int | None = None) -> set[ConversionSetting]:
        """Settings of all trials, or of those before a number, finished or not."""
        return {
            self._setting(t)
            for t in self._study.get_trials(deepcopy=False)
            if t.state != TrialState.FAIL
            and len(t.params) == len(vars(self.space))
            and (before is None or t.number < before)
        }

    def _unknown(self) -> dict[str, int] | None:
        """Random combination that was never tried; None where none is left."""
        known = self._known()
        left = [p for p in self.space.everything() if self.space.setting(p) not in known]
        return left[int(shuffled(range(len(left)), self._next_seed())[0])] if left else None


def storage_of(path: Path | None) -> BaseStorage:
    """Storage of a study: an SQLite file (.db), a journal file (.journal), or memory for None.

    SQLite suits processes of one machine; a journal also suits those of several machines on one file system.

    Raises:
        DataError: the file exists and is not a study.
        ConfigurationError: the suffix is not supported.
    """
    if path is None:
        return InMemoryStorage()
    if path.suffix in SQLITE:
        with readable(path):
            return RDBStorage(f"sqlite:///{path}")
    if path.suffix in JOURNAL:
        with readable(path):
            return JournalStorage(JournalFileBackend(str(path)))
    raise ConfigurationError(
        f"{path}: suffix must be {', '.join(SQLITE)} (SQLite, one machine) or {', '.join(JOURNAL)} (journal, several "
        f"machines on one file system), got {path.suffix!r}"
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress optuna's warnings about experimental features."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        yield


@contextmanager
def readable(file: Path | str) -> Iterator[None]:
    """Turn any failure to read a study into one error that names it: optuna checks little of what it reads.

    Raises:
        DataError: the file is damaged or not a study.
    """
    try:
        yield
    except OneSpikeError:
        raise
    except Exception as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        said = ascii(first[:SHOWN])[1:-1]
        raise DataError(f"{file}: not a readable study ({said}); name another file with --study") from error
