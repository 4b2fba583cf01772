"""`tune`: from limits to the settings that keep them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from loihi_onespike.analysis.tuning.front import Front, Point, candidates, not_dominated
from loihi_onespike.analysis.tuning.images import split
from loihi_onespike.analysis.tuning.limits import Limits, NetworkFigures
from loihi_onespike.analysis.tuning.setting import ConversionSetting, Space
from loihi_onespike.analysis.tuning.study import Study, storage_of
from loihi_onespike.analysis.tuning.task import FIXED, Task
from loihi_onespike.conversion.calibration import Method
from loihi_onespike.data import Dataset
from loihi_onespike.errors import ConfigurationError, HeadroomError
from loihi_onespike.frontend import ModelSource, as_module


@dataclass(frozen=True)
class Step:
    """One conversion that was measured.

    Attributes:
        what: "search" or "held out".
        done, of: how many there are of that, earlier runs included.
        new: how many of them this run made.
        result: figures, or why there are none.
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
    """A search, which several processes may work on at the same time.

    A grid first, then a multi-objective tree-structured Parzen estimator (optuna) that prefers settings within the
    limits. Every figure comes from exact integers; no image that is measured ever calibrates.

    Attributes: see `tune`.
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

    def __post_init__(self) -> None:
        if self.search_images < 1 or (self.held_out_images is not None and self.held_out_images < 1):
            found = f"{self.search_images} and {self.held_out_images}"
            raise ConfigurationError(f"search_images, held_out_images: found {found}, supported 1 and more")
        unknown = sorted(set(self.fixed) - set(FIXED))
        if unknown:
            raise ConfigurationError(f"tune: found the options {', '.join(unknown)}, supported {', '.join(FIXED)}")

    def run(self, trials: int, shared: bool = False, progress: Progress = _silent) -> None:
        """Make trials until so many are finished, those of other processes and of earlier runs included."""
        if trials < 1:
            raise ConfigurationError(f"trials: found {trials}, supported 1 and more")
        _search(self._task, self._kept(shared), trials, progress)

    def finished(self, shared: bool = True) -> int:
        """Trials that have been finished; without `shared`, those that never ended are given up."""
        return len(self._kept(shared).finished)

    def front(self, progress: Progress = _silent) -> Front:
        """Convert what is best on the search images again and measure it on the held-out images."""
        kept = self._kept(shared=True)
        finished = kept.finished
        figures = {s: m for s, (_, m) in finished.items() if isinstance(m, NetworkFigures)}
        refused = {s: m for s, (_, m) in finished.items() if isinstance(m, str)}
        if not figures:
            reason = next(iter(refused.values()), "no trial was made")
            raise ConfigurationError(f"tune: found no setting that can be converted; {reason}; widen the space")
        held_out = _held_out(self._task, kept, candidates(figures), progress)
        points = [Point(s, finished[s][0], figures[s], held_out[s]) for s in not_dominated(held_out)]
        points.sort(key=lambda p: (p.held_out.latency_steps, p.held_out.spikes))
        return Front(points, self.limits, self._task.parts.to_dict(), figures, refused)

    @cached_property
    def _task(self) -> Task:
        parts = split(self.data, self.search_images, self.held_out_images, self.seed)
        return Task(as_module(self.model), parts, self.method, self.fixed)

    @cached_property
    def _searched(self) -> Space:
        return self.space if self.method.two_sided else replace(self.space, two_sided=(False,))

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
    progress: Progress = _silent,
    **fixed: Any,
) -> Front:
    """Search timesteps, wait, levels and two-sided spikes for the Pareto front of loss, latency and spikes.

    Args:
        model: as for `convert`.
        data: from `load_data`.
        limits: guide the search and the verdict; the front is not cut by them.
        trials: settings measured in all, those of earlier runs on the same file included.
        study: file that keeps the search, .db (SQLite) or .journal; a run on it goes on where the last one ended.
        seed: of the images and of the search.
        space: what is searched.
        method: parts of the calibration; with `two_sided` off that switch is not searched.
        search_images, held_out_images: how many images guide the search, and measure the front (None: all others).
        shared: other processes work on the same study at this moment.
        progress: called after every conversion.
        fixed: options of `convert` that are not searched: weight_bits, input_bits, input_code, normalization,
            threshold_shift.

    Raises:
        ConfigurationError: an option out of range, a study of another model, other data or another space, or no
            setting that fits into 24 bits.
        DataError: too few images, or a file that is no study.
        Others: as `convert`.
    """
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
            kept.give_up(trial)
            raise
        kept.tell(trial, result)
        new += 1
        progress(Step("search", len(kept.finished), trials, new, setting, result))


def _held_out(
    task: Task, kept: Study, chosen: list[ConversionSetting], progress: Progress
) -> dict[ConversionSetting, NetworkFigures]:
    """Figures of the chosen settings on the held-out images; what an earlier run measured is not measured again."""
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
