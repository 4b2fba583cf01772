"""The steps of `onespike build`, from the search to the report, each with all that its result depends on."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import loihi_onespike
from loihi_onespike.cli.arguments import inputs
from loihi_onespike.cli.arguments.options import Source
from loihi_onespike.cli.execution.run_record import BuildStep, Done, digest_of, file_digest
from loihi_onespike.errors import ConfigurationError, DataError
from loihi_onespike.json_text import json_text
from loihi_onespike.regular_files import write_whole

if TYPE_CHECKING:
    from torch import nn

    from loihi_onespike.analysis.tuning import Step
    from loihi_onespike.api import OneSpikeNetwork
    from loihi_onespike.boards.specification.spec import Board
    from loihi_onespike.cli.arguments.run_config import RunConfig
    from loihi_onespike.cli.terminal.progress import ProgressBars
    from loihi_onespike.conversion.options import ConversionOptions
    from loihi_onespike.data import Dataset

NETWORK, TUNED, EVALUATED = "net.h5", "tune.json", "evaluation.json"
MAPPED, PROFILED, PAGE = "map.json", "profile.json", "report.html"


class BuildRun:
    """The steps of one configuration.

    Args:
        config: the configuration.
        base: folder of its file, to which paths are relative.
        bars: shows the progress.
        on_trial: called after every conversion of a search.
    """

    def __init__(self, config: RunConfig, base: Path, bars: ProgressBars, on_trial: Callable[[Step], None]) -> None:
        self.config, self.base, self.bars, self.on_trial = config, base, bars, on_trial
        self.folder = base / config.folder

    def check(self) -> None:
        """Find missing files before anything large is imported."""
        inputs.check_model(self._model, self._weights)
        from loihi_onespike.data.load import has_labels

        calibration, test = self._data
        self._source.check(calibration, labels=False)
        self._source.check(test, labels=False)
        if not has_labels(test):
            raise DataError(
                f"{test}: must hold labels, the array y, since it is evaluated; name labelled data as `test` in [data]"
            )
        if self.config.map is not None:
            self._board()
        if self.config.report is not None:
            check_report()

    def steps(self) -> Iterator[BuildStep]:
        """The steps in their order; each is asked for when the files of those before it are there."""
        config = self.config
        if config.tune is not None:
            needed = {**self._made_with, "convert": config.convert, "tune": config.tune.model_dump()}
            yield BuildStep("tune", needed, (TUNED,), self._tune)
        yield BuildStep("convert", {**self._made_with, "options": self._options_record()}, (NETWORK,), self._convert)
        network = file_digest(self.folder / NETWORK)
        measured = {**self._made_with, "network": network, "evaluate": config.evaluate.model_dump()}
        yield BuildStep("evaluate", measured, (EVALUATED,), self._evaluate)
        if config.map is not None:
            onto = {"version": loihi_onespike.__version__, "network": network, "board": self._board_facts()}
            yield BuildStep("map", onto, (MAPPED,), self._map)
            counted = {**onto, "data": self._made_with["data"], "images": config.map.images}
            yield BuildStep("profile", counted, (PROFILED,), self._profile)
        if config.report is not None:
            board = None if config.map is None else self._board_facts()
            shown = {**measured, "report": config.report.model_dump(), "board": board, "tune": self._digest_of_search()}
            yield BuildStep("report", shown, (PAGE,), self._report)

    def resolved(self) -> dict[str, Any]:
        """The whole configuration with all defaults, and the options that are converted with."""
        found = self.config.model_dump(exclude={"convert"})
        return {**found, "convert": self._options_record()}

    # What the steps depend on

    @cached_property
    def _made_with(self) -> dict[str, Any]:
        """Model, data and program."""
        model = {"source": self.config.model.source, "code": self._code_digest()}
        weights = None if self._weights is None else file_digest(self._weights)
        data = {name: file_digest(Path(name)) for name in self._data}
        sections = self.config.data.model_dump()
        version = loihi_onespike.__version__
        return {"version": version, "model": model, "weights": weights, "data": {"files": data, "section": sections}}

    def _code_digest(self) -> str | None:
        """Digest of the file that a model comes from; what that file imports is not looked at."""
        source, _, _ = self._model.rpartition(":")
        if self._model.endswith((".onnx", ".pt2")):
            return file_digest(Path(self._model))
        if source.endswith(".py"):
            return file_digest(Path(source))
        if not source or source == "torchvision":
            return None
        try:
            found = importlib.util.find_spec(source)
        except (ImportError, ValueError):
            return None
        return None if found is None or found.origin is None else file_digest(Path(found.origin))

    def _digest_of_search(self) -> str | None:
        return None if self.config.tune is None else file_digest(self.folder / TUNED)

    def _board_facts(self) -> dict[str, Any]:
        """The section and, of a board of the user's own, the files that describe it."""
        assert self.config.map is not None
        board = self.base / self.config.map.board
        own = {p.name: file_digest(p) for p in sorted(board.parent.glob("*.toml"))} if board.is_file() else {}
        return {"section": self.config.map.model_dump(exclude={"images"}), "files": own}

    @cached_property
    def _options(self) -> ConversionOptions:
        """The options of the configuration, without payload where the board that is mapped onto sends none."""
        options = self.config.options
        if options.payload_bits != "auto" or self.config.map is None or self._board().chip.neuron.sends_payload:
            return options
        return replace(options, payload_bits=0)

    def _options_record(self) -> dict[str, Any]:
        from dataclasses import asdict

        record = asdict(replace(self._options, **self._tuned_keywords()))
        return {name: json.loads(json.dumps(value)) for name, value in record.items()}

    def _tuned_keywords(self) -> dict[str, Any]:
        """Options that the search chose; none without one."""
        if self.config.tune is None:
            return {}
        best = json.loads((self.folder / TUNED).read_text(encoding="utf-8"))["best"]
        if best is None:
            return {}
        from loihi_onespike.analysis.tuning import ConversionSetting

        return ConversionSetting(**best["setting"]).keywords(self.config.options.parts)

    # Names of the configuration, relative to its file

    @property
    def _model(self) -> str:
        source, colon, name = self.config.model.source.rpartition(":")
        if self.config.model.source.endswith((".onnx", ".pt2")):
            return str(self.base / self.config.model.source)
        is_file = colon and (source.endswith(".py") or "/" in source)
        return f"{self.base / source}:{name}" if is_file else self.config.model.source

    @property
    def _weights(self) -> Path | None:
        weights = self.config.model.weights
        return None if weights is None else self.base / Path(weights).expanduser()

    @property
    def _data(self) -> list[str]:
        """The data that calibrates, and that which is evaluated."""
        section = self.config.data
        return [self._data_name(name) for name in (section.calibration, section.test or section.calibration)]

    def _data_name(self, name: str) -> str:
        return name if name == "digits" or name.startswith("torchvision:") else str(self.base / Path(name).expanduser())

    @property
    def _source(self) -> Source:
        section = self.config.data
        root = None if section.root is None else self.base / Path(section.root).expanduser()
        return Source(root, section.resize, section.crop, section.normalize)

    @cached_property
    def _module(self) -> nn.Module:
        return inputs.read_model(self._model, self._weights)

    @cached_property
    def _test(self) -> Dataset:
        section = self.config.data
        return self._source.read(self._data[1], section.calibration_images, section.seed)

    @cached_property
    def _network(self) -> OneSpikeNetwork:
        import loihi_onespike as los

        return los.load(self.folder / NETWORK)

    def _write(self, name: str, document: Mapping[str, object]) -> None:
        write_whole(self.folder / name, (json_text(document) + "\n").encode("utf-8"))

    # The work

    def _tune(self) -> Done:
        from loihi_onespike.analysis import tuning
        from loihi_onespike.analysis.tuning.task import FIXED

        section, data, options = self.config.tune, self.config.data, self._options
        assert section is not None
        found = self._source.read(self._data[0], data.calibration_images, data.seed)
        space = tuning.Space()
        if section.timesteps:
            space = replace(space, timesteps=tuple(sorted(set(section.timesteps))))
        limits = tuning.Limits(
            section.max_loss, section.max_latency, section.max_spikes, section.max_synops, section.min_alpha
        )
        # Limits and the number of trials may change without making the trials that there are worthless.
        named = digest_of([self._made_with, self.config.convert, section.timesteps, section.search_images])[:8]
        fixed = {name: value for name, value in self.config.convert.items() if name in FIXED}
        if options.payload_bits != self.config.options.payload_bits:
            fixed["payload_bits"] = options.payload_bits
        search = tuning.Search(
            self._module,
            found,
            limits,
            self.folder / f"tune-{named}.db",
            data.seed,
            space,
            options.parts,
            section.search_images,
            section.held_out_images,
            fixed,
            section.minimise,
        )
        search.run(section.trials, progress=self.on_trial)
        front = search.front(self.on_trial)
        self._write(TUNED, front.to_dict())
        return Done(front.verdict, front.best is None)

    def _convert(self) -> Done:
        import loihi_onespike as los

        data = self.config.data
        found = self._source.read_calibration(self._data[0], data.calibration_images, data.seed)
        options = replace(self._options, **self._tuned_keywords())
        named = {name: getattr(options, name) for name in options.__dataclass_fields__}
        net = los.convert(self._module, found.images, **named, progress=self.bars)
        network = replace(net.network, facts={**net.network.facts, "config": self.resolved()})
        los.OneSpikeNetwork(network).save(self.folder / NETWORK)
        self.__dict__.pop("_network", None)
        return Done(f"{net!r}", figures={"latency_steps": net.latency_steps, "period_steps": net.period_steps})

    def _evaluate(self) -> Done:
        section, part = self.config.evaluate, self._test.take(self.config.evaluate.images)
        if self.config.data.test is None:
            inputs.remark_on_calibration(self._test)
        needed = digest_of([file_digest(self.folder / NETWORK), self._made_with, section.model_dump()])[:8]
        evaluation = self._network.evaluate(
            part.images,
            part.labels,
            section.executor,
            self._module,
            progress=lambda done, of: self.bars("evaluate", done, of),
            resume=self.folder / f"evaluation-{needed}",
        )
        self._write(EVALUATED, {**evaluation.to_dict(), "data": part.name})
        loss = "" if evaluation.loss_pp is None else f", loss {evaluation.loss_pp:+.2f} pp"
        spikes = f"{evaluation.hidden_spikes_per_neuron:.3f} spikes per neuron"
        return Done(f"accuracy {evaluation.accuracy}{loss}, {spikes}", figures={"accuracy": evaluation.accuracy.value})

    def _board(self) -> Board:
        from loihi_onespike.boards.specification import load_board

        section = self.config.map
        assert section is not None
        own = self.base / section.board
        onto = load_board(own if own.is_file() else section.board)
        return onto if section.convolution is None else onto.with_convolution(section.convolution)

    def _map(self) -> Done:
        from loihi_onespike.boards.energy.activity import Activity
        from loihi_onespike.boards.energy.fill_chips import fill_chips
        from loihi_onespike.boards.mapping import check_placement, map_network
        from loihi_onespike.boards.mapping.mapping_document import mapping_document

        assert self.config.map is not None
        network = self._network.network
        mapping = map_network(network, self._board())
        if self.config.map.fill_chips:
            mapping = fill_chips(network, mapping, Activity.every_neuron(network))
        objections = check_placement(network, mapping.placement)
        document = mapping_document(network.name, mapping, objections)
        self._write(MAPPED, document)
        placement, fits = mapping.placement, mapping.fits and not objections
        counts = f"{len(placement.cores)} cores, {placement.chips} chip{'s' * (placement.chips != 1)}"
        said = "fits" if fits else "does not fit"
        return Done(f"{said} on {placement.board.name}: {counts}", not fits)

    def _profile(self) -> Done:
        from loihi_onespike.boards.energy.estimate import estimate_board
        from loihi_onespike.boards.energy.estimate_document import estimate_document
        from loihi_onespike.boards.energy.fill_chips import map_measured
        from loihi_onespike.cli.execution.spikes import activity_on

        section = self.config.map
        assert section is not None
        network = self._network
        activity = activity_on(network, self._test.take(section.images), self.bars)
        mapping = map_measured(network.network, self._board(), activity, section.fill_chips)
        estimate = estimate_board(network.network, mapping, activity)
        self._write(PROFILED, {**estimate_document(estimate), "data": self._test.name})
        energy = f"energy of an image at least {estimate.best_account.low}"
        return Done(f"images per second {estimate.images_per_s}, {energy}; estimated, not measured")

    def _report(self) -> Done:
        import loihi_onespike as los

        section, part = self.config.report, self._test.take(self.config.evaluate.images)
        assert section is not None
        los.report(
            self._network,
            self.folder / PAGE,
            part.images,
            part.labels,
            model=self._module,
            board=los.load_board("oheo_gulch") if self.config.map is None else self._board(),
            fill_chips=self.config.map is not None and self.config.map.fill_chips,
            tune=None if self.config.tune is None else self.folder / TUNED,
            diagnosed_images=section.diagnose_images,
            profiled_images=100 if self.config.map is None else self.config.map.images,
            shown_images=section.show_images,
            facts={"network": NETWORK, "data": part.name, "model": self.config.model.source},
            classes=part.classes,
            progress=self.bars,
        )
        return Done(f"{self.folder / PAGE}")


def check_report() -> None:
    """Raise ConfigurationError where a package of the extra `report` is missing, without importing it."""
    absent = [name for name in ("bokeh", "jinja2") if importlib.util.find_spec(name) is None]
    if absent:
        raise ConfigurationError(
            f"report: requires the extra `report`, got no {' and no '.join(absent)}; install it with: "
            'pip install "loihi-onespike[report]", or leave the section out'
        )
