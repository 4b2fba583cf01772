"""The kept search: an optuna study in a file, which several runs and several processes may go on with.

A trial is one conversion. Its random numbers follow from the seed and the number of trials before it, so that a run
that was interrupted ends as one that was not.
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
from loihi_onespike.errors import ConfigurationError, DataError

NAME = "onespike"
SQLITE, JOURNAL = (".db", ".sqlite", ".sqlite3"), (".journal", ".log")
MEASURED, REFUSED, REPEATED, SETUP = "measured", "refused", "repeated", "setup"
ORDERED = ("timesteps", "wait_eighths")


class Study:
    """Trials that were made, and the next one.

    Args:
        storage: from `storage_of`.
        setup: what the figures depend on. A file with another setup is refused.
        shared: other processes are at work on the file; else trials that never ended are given up.
    """

    def __init__(
        self, storage: Any, setup: Mapping[str, Any], space: Space, limits: Limits, seed: int, shared: bool = False
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.space, self.limits, self.seed = space, limits, seed
        with _quiet():
            self._study = optuna.create_study(
                study_name=NAME, storage=storage, directions=["minimize"] * 3, load_if_exists=True
            )
        self._check_setup(setup)
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
                f"study: found a search with another {other}, supported the same model, data, seed and space; "
                "name another file with --study"
            )

    @property
    def finished(self) -> dict[ConversionSetting, tuple[int, NetworkFigures | str]]:
        """Number and figures of every trial, or why the setting has none."""
        found: dict[ConversionSetting, tuple[int, NetworkFigures | str]] = {}
        for trial in self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED)):
            if MEASURED in trial.user_attrs:
                found[self._setting(trial)] = trial.number, NetworkFigures.from_dict(trial.user_attrs[MEASURED])
            elif REFUSED in trial.user_attrs:
                found[self._setting(trial)] = trial.number, str(trial.user_attrs[REFUSED])
        return found

    def ask(self) -> tuple[optuna.Trial, ConversionSetting] | None:
        """The next setting that no trial has had: the grid's, then the sampler's; None when there is none left."""
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
        """Figures of a trial, or why there are none."""
        if isinstance(result, NetworkFigures):
            trial.set_user_attr(MEASURED, result.to_dict())
            for name, excess in self.limits.excess(result).items():
                trial.set_constraint(name, excess)  # above 0: the sampler keeps away
            with _quiet():
                self._study.tell(trial, values=result.objectives)
        else:
            trial.set_user_attr(REFUSED, result)
            self._study.tell(trial, state=TrialState.PRUNED)

    def give_up(self, trial: optuna.Trial) -> None:
        """A trial that was interrupted; its setting is tried again."""
        self._study.tell(trial, state=TrialState.FAIL)

    def kept(self, key: str) -> Any:
        """What `keep` stored, None where there is nothing."""
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
        """Settings that were tried or are being tried, by trials before a number."""
        return {
            self._setting(t)
            for t in self._study.get_trials(deepcopy=False)
            if t.state != TrialState.FAIL
            and len(t.params) == len(vars(self.space))
            and (before is None or t.number < before)
        }

    def _unknown(self) -> dict[str, int] | None:
        """One of the combinations that were never tried, drawn by the seed."""
        known = self._known()
        left = [p for p in self.space.everything() if self.space.setting(p) not in known]
        return left[int(shuffled(range(len(left)), self._next_seed())[0])] if left else None


def storage_of(path: Path | None) -> BaseStorage:
    """Where a study is kept: an SQLite file (.db), a journal file (.journal), or memory for None.

    SQLite is for the processes of one machine; a journal also for those of many on one file system.

    Raises:
        DataError: the file is there and is no study.
        ConfigurationError: another suffix.
    """
    if path is None:
        return InMemoryStorage()
    if path.suffix in SQLITE:
        with _readable(path):
            return RDBStorage(f"sqlite:///{path}")
    if path.suffix in JOURNAL:
        with _readable(path):
            return JournalStorage(JournalFileBackend(str(path)))
    raise ConfigurationError(
        f"{path}: found the suffix {path.suffix!r}, supported {', '.join(SQLITE)} (SQLite, one machine) and "
        f"{', '.join(JOURNAL)} (journal, several machines on one file system)"
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Without optuna's remarks on which of its parts are new."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        yield


@contextmanager
def _readable(path: Path | None) -> Iterator[None]:
    """Any failure to open the file is one error that names it."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (SQLAlchemyError, OSError, ValueError, KeyError, optuna.exceptions.OptunaError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise DataError(f"{path}: not a readable study ({first}); name another file with --study") from error
