"""`tune`: search for options of a conversion that keep given limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from loihi_onespike.analysis.tuning.front import Front, Minimise, Point, candidates, check_minimise, not_dominated
from loihi_onespike.analysis.tuning.images import split
from loihi_onespike.analysis.tuning.limits import Limits, NetworkFigures
from loihi_onespike.analysis.tuning.setting import ConversionSetting, Space
from loihi_onespike.analysis.tuning.study import Study, storage_of
from loihi_onespike.analysis.tuning.task import FIXED, Task
from loihi_onespike.conversion.calibration import Method
from loihi_onespike.data import Dataset
from loihi_onespike.data.checks import check_progress
from loihi_onespike.errors import ConfigurationError, HeadroomError
from loihi_onespike.frontend import ModelSource, as_module


@dataclass(frozen=True)
class Step:
    """Progress: one conversion that was measured.

    Attributes:
        what: "search" or "held out".
        done: finished conversions of this kind, including those of earlier runs.
        of: number of conversions of this kind in all.
        new: finished conversions of this run.
        setting: options of the conversion.
        result: its figures, or the reason why it was refused.
    """

    what: str
    done: int
    of: int
    new: int
    setting: ConversionSetting
    result: NetworkFigures | str


Progress = Callable[[Step], None]


def _silent(step: Step) -> None:
    pass


@dataclass(frozen=True, eq=False)
class Search:
    """A search that several processes may work on at the same time.

    It starts with a grid and continues with a multi-objective tree-structured Parzen estimator (optuna), which prefers
    settings within the limits. All figures are those of the integer network; no image that is measured calibrates.

    Attributes:
        model: as for `convert`.
        data: the data set.
        limits: limits that guide the search and the verdict.
        study: file that keeps the search, see `storage_of`; None keeps it in memory.
        seed: seed of the division of the images and of the search.
        space: the search space.
        method: calibration of all conversions.
        search_images: number of images that guide the search.
        held_out_images: number of images that measure the front; None for all others.
        fixed: further options of `convert`, of those in `FIXED`.
        minimise: what the best point has least of: loss, energy (by `account`), spikes or latency.

    Raises:
        ConfigurationError: a number of images is below 1, or an option is not in `FIXED`.
    """

    model: ModelSource
    data: Dataset
    limits: Limits = field(default_factory=Limits)
    study: str | Path | None = None
    seed: int = 0
    space: Space = field(default_factory=Space)
    method: Method = field(default_factory=Method)
    search_images: int = 500
    held_out_images: int | None = None
    fixed: Mapping[str, Any] = field(default_factory=dict)
    minimise: Minimise = "loss"

    def __post_init__(self) -> None:
        check_minimise(self.minimise)
        if self.search_images < 1 or (self.held_out_images is not None and self.held_out_images < 1):
            found = f"{self.search_images} and {self.held_out_images}"
            raise ConfigurationError(f"search_images, held_out_images: must be at least 1, got {found}")
        unknown = sorted(set(self.fixed) - set(FIXED))
        if unknown:
            raise ConfigurationError(f"tune: options must be among {', '.join(FIXED)}, got {', '.join(unknown)}")

    def run(self, trials: int, shared: bool = False, progress: Progress = _silent) -> None:
        """Make trials until a number of them is finished, including those of other processes and earlier runs.

        Args:
            trials: number of finished trials to reach.
            shared: other processes work on the same study at this moment.
            progress: called after every conversion.

        Raises:
            ConfigurationError: `trials` is below 1, or the study belongs to another search.
            DataError: there are too few images, or the file is not a study.
        """
        if trials < 1:
            raise ConfigurationError(f"trials: must be at least 1, got {trials}")
        _search(self._task, self._kept(shared), trials, progress)

    def finished(self, shared: bool = True) -> int:
        """Number of finished trials; without `shared`, trials that never ended are marked as failed."""
        return len(self._kept(shared).finished)

    def front(self, progress: Progress = _silent) -> Front:
        """Measure the best settings of the search on the held-out images.

        Raises:
            ConfigurationError: no setting could be converted.
        """
        kept = self._kept(shared=True)
        finished = kept.finished
        figures = {s: m for s, (_, m) in finished.items() if isinstance(m, NetworkFigures)}
        refused = {s: m for s, (_, m) in finished.items() if isinstance(m, str)}
        if not figures:
            reason = next(iter(refused.values()), "no trial was made")
            raise ConfigurationError(f"tune: no setting can be converted ({reason}); widen the search space")
        held_out = _held_out(self._task, kept, candidates(figures), progress)
        points = [Point(s, finished[s][0], figures[s], held_out[s]) for s in not_dominated(held_out)]
        points.sort(key=lambda p: (p.held_out.latency_steps, p.held_out.spikes))
        return Front(points, self.limits, self._task.parts.to_dict(), figures, refused, self.minimise)

    @cached_property
    def _task(self) -> Task:
        parts = split(self.data, self.search_images, self.held_out_images, self.seed)
        return Task(as_module(self.model), parts, self.method, self.fixed)

    def front_so_far(self) -> list[tuple[ConversionSetting, NetworkFigures]]:
        """Settings that no other finished trial dominates on the search images, by increasing latency.

        Nothing is converted for it, so it can be shown when a search is interrupted. The figures are optimistic, since
        the settings are chosen by them.
        """
        figures = {s: m for s, (_, m) in self._kept(shared=True).finished.items() if isinstance(m, NetworkFigures)}
        return sorted(
            ((s, figures[s]) for s in not_dominated(figures)), key=lambda p: (p[1].latency_steps, p[1].spikes)
        )

    @cached_property
    def _searched(self) -> Space:
        """The space without settings that give the same network: two-sided ones where no population may be so."""
        sided = self.method.two_sided and (self.space.two_sided == (False,) or self._task.may_be_two_sided)
        return self.space if sided else replace(self.space, two_sided=(False,))

    @cached_property
    def _setup(self) -> dict[str, Any]:
        return self._task.setup(self._searched, self.seed)

    def _kept(self, shared: bool) -> Study:
        return Study(self._storage, self._setup, self._searched, self.limits, self.seed, shared)

    @cached_property
    def _storage(self) -> Any:
        return storage_of(None if self.study is None else Path(self.study))


def tune(
    model: ModelSource,
    data: Dataset,
    *,
    limits: Limits | None = None,
    trials: int = 60,
    study: str | Path | None = None,
    seed: int = 0,
    space: Space | None = None,
    method: Method | None = None,
    search_images: int = 500,
    held_out_images: int | None = None,
    shared: bool = False,
    minimise: Minimise = "loss",
    progress: Progress = _silent,
    **fixed: Any,
) -> Front:
    """Search timesteps, wait, levels and two-sided spikes for the Pareto front of loss, latency and spikes.

    Args:
        model: as for `convert`.
        data: from `load_data`.
        limits: limits that guide the search and the verdict; the front also has points outside them.
        trials: number of trials, including those of earlier runs on the same file.
        study: file that keeps the search, .db (SQLite) or .journal; a later run continues it.
        seed: seed of the division of the images and of the search.
        space: the search space.
        method: calibration; where `two_sided` is off, it is not searched.
        search_images: number of images that guide the search.
        held_out_images: number of images that measure the front; None for all others.
        shared: other processes work on the same study at this moment.
        minimise: what the best point has least of, within the limits: loss, energy (by `account`), spikes or latency.
        progress: called after every conversion.
        fixed: options of `convert` that are not searched: weight_bits, input_bits, input_code, normalization,
            threshold_shift, objective, price, account, payload_bits.

    Returns:
        The Pareto front, measured on the held-out images.

    Raises:
        ConfigurationError: an option is out of range, the study belongs to another model, other data or another
            space, or no setting fits into 24 bits.
        DataError: there are too few images, or the file is not a study.
        UnsupportedModelError: the model cannot be converted.
    """
    check_progress(progress)
    search = Search(
        model,
        data,
        limits or Limits(),
        study,
        seed,
        space or Space(),
        method or Method(),
        search_images,
        held_out_images,
        fixed,
        minimise,
    )
    search.run(trials, shared, progress)
    return search.front(progress)


def _search(task: Task, kept: Study, trials: int, progress: Progress) -> None:
    new = 0
    while len(kept.finished) < trials:
        asked = kept.ask()
        if asked is None:
            break
        trial, setting = asked
        try:
            result: NetworkFigures | str = task.measure(setting, task.parts.search)
        except HeadroomError as error:
            result = str(error)
        except BaseException:
            kept.interrupted(trial)
            raise
        kept.tell(trial, result)
        new += 1
        progress(Step("search", len(kept.finished), trials, new, setting, result))


def _held_out(
    task: Task, kept: Study, chosen: list[ConversionSetting], progress: Progress
) -> dict[ConversionSetting, NetworkFigures]:
    """Figures of the chosen settings on the held-out images; those of earlier runs are read from the study."""
    found: dict[ConversionSetting, NetworkFigures] = {}
    new = 0
    for setting in chosen:
        key = f"held out {task.parts.held_out.digest} {kept.finished[setting][0]}"
        stored = kept.kept(key)
        if stored is None:
            measured = task.measure(setting, task.parts.held_out)
            kept.keep(key, measured.to_dict())
            new += 1
        else:
            measured = NetworkFigures.from_dict(stored)
        found[setting] = measured
        progress(Step("held out", len(found), len(chosen), new, setting, measured))
    return found
