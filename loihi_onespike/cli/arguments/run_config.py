"""The configuration of a whole run, `onespike.toml`: its sections, and the place of every problem in it.

Options of the conversion are those of `ConversionOptions`, under the same names.
"""

from __future__ import annotations

import re
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from loihi_onespike.conversion.options import ConversionOptions, option_infos
from loihi_onespike.errors import ConfigurationError
from loihi_onespike.executors.registry import entry_of
from loihi_onespike.regular_files import check_readable

if TYPE_CHECKING or sys.version_info < (3, 11):
    import tomli as tomllib
else:
    import tomllib

CONFIG = Path("onespike.toml")
MAX_FILE_BYTES = 2**18
HEADER = re.compile(r"\s*\[\s*([\w.\"-]+)\s*\]")


class Section(BaseModel):
    """A table of the file: every key has its type, and no other key is taken."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ModelSection(Section):
    """The model.

    Attributes:
        source: name of the model as for `onespike convert`.
        weights: file of weights; None for those that the source has.
    """

    source: str
    weights: str | None = None


class DataSection(Section):
    """The data.

    Attributes:
        calibration: data that calibrates the conversion and that `tune` searches with, named as for --data.
        test: data that is evaluated; None for the test part of `calibration`.
        calibration_images: number of calibration images.
        seed: seed of their choice.
        root: folder of a torchvision data set.
        resize, crop: sides of pictures in pixels.
        normalize: normalization of pictures.
    """

    calibration: str
    test: str | None = None
    calibration_images: int = Field(512, ge=1)
    seed: int = 0
    root: str | None = None
    resize: int | None = Field(None, ge=1)
    crop: int | None = Field(None, ge=1)
    normalize: str = "none"


class TuneSection(Section):
    """A search before the conversion, whose best setting is converted; the names are those of `onespike tune`.

    Attributes:
        max_loss, max_latency, max_spikes, max_synops, min_alpha: limits.
        minimise: what the best setting has least of.
        trials: settings to try.
        search_images, held_out_images: numbers of images that guide the search, and that measure the front.
        timesteps: values of T to search; None for 4 to 32.
    """

    max_loss: float | None = None
    max_latency: int | None = None
    max_spikes: float | None = None
    max_synops: float | None = None
    min_alpha: float | None = None
    minimise: Literal["loss", "energy", "spikes", "latency"] = "loss"
    trials: int = Field(60, ge=1)
    search_images: int = Field(500, ge=1)
    held_out_images: int | None = Field(None, ge=1)
    timesteps: list[int] | None = None


class EvaluateSection(Section):
    """The evaluation.

    Attributes:
        images: number of images, spread evenly; None for all.
        executor: what runs the network.
    """

    images: int | None = Field(None, ge=1)
    executor: str = "fast"


class MapSection(Section):
    """The board that the network is mapped to, and the estimate of time and energy on it.

    Attributes:
        board: name of a board or a .toml file.
        convolution: how convolutions are stored; None for that of the chip's file.
        fill_chips: spread slow layers over cores that are idle on the chips in use.
        images: images whose spikes are counted.
    """

    board: str = "oheo_gulch"
    convolution: str | None = None
    fill_chips: bool = False
    images: int = Field(100, ge=1)


class ReportSection(Section):
    """The page about the network, see `onespike report`; it needs the extra `report`.

    Attributes:
        diagnose_images: images that errors are measured on.
        show_images: images whose spikes the page shows.
    """

    diagnose_images: int = Field(256, ge=1)
    show_images: int = Field(6, ge=1)


class RunConfig(Section):
    """A whole run.

    Attributes:
        folder: folder of everything that is made; paths are relative to the file.
        model, data: what is converted, and with what.
        convert: options of the conversion by name, as `ConversionOptions.from_mapping` takes them.
        tune: the search; None for none.
        evaluate: the evaluation.
        map: the board; None for none.
        report: the page; None for none.
    """

    folder: str = "onespike-run"
    model: ModelSection
    data: DataSection
    convert: dict[str, Any] = Field(default_factory=dict)
    tune: TuneSection | None = None
    evaluate: EvaluateSection = Field(default_factory=lambda: EvaluateSection(images=None))
    map: MapSection | None = None
    report: ReportSection | None = None

    @property
    def options(self) -> ConversionOptions:
        """The options of the conversion."""
        return ConversionOptions.from_mapping(self.convert)


def read_config(path: Path) -> RunConfig:
    """Read the file of a run.

    Args:
        path: the file.

    Raises:
        ConfigurationError: it is missing, is not TOML, or has keys or values that do not belong there; all problems are
            listed with their line.
    """
    check_readable(path, ConfigurationError, "no such file; `onespike init MODEL` writes one")
    try:
        content = path.read_bytes()
        if len(content) > MAX_FILE_BYTES:
            raise ValueError(f"must have at most {MAX_FILE_BYTES} bytes")
        text = content.decode("utf-8")
        values = tomllib.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path}: is not TOML ({str(error)[:200]})") from error
    try:
        config = RunConfig.model_validate(values)
    except ValidationError as error:
        raise _listed(path, text, [_problem(item) for item in error.errors()]) from error
    problems = _problems_of_options(config)
    try:
        entry_of(config.evaluate.executor)
    except ConfigurationError as error:
        problems.append((("evaluate", "executor"), str(error).removeprefix("executor: ")))
    if problems:
        raise _listed(path, text, problems)
    return config


def _problem(item: Any) -> tuple[tuple[str, ...], str]:
    place = tuple(map(str, item["loc"]))
    if item["type"] == "missing":
        return place, "is missing"
    if item["type"] == "extra_forbidden":
        return place, f"is not a key of this file{_near(place[-1], _keys(place[:-1]))}"
    return place, f"{item['msg'][0].lower()}{item['msg'][1:]}, got {str(item['input'])[:80]!r}"


def _keys(place: tuple[str, ...]) -> list[str]:
    """Keys that a table may have."""
    kind: Any = RunConfig
    for name in place:
        annotation = kind.model_fields[name].annotation
        kind = next(k for k in (annotation, *getattr(annotation, "__args__", ())) if hasattr(k, "model_fields"))
    return list(kind.model_fields)


def _near(name: str, known: list[str]) -> str:
    found = get_close_matches(name, known, 1)
    return f"; did you mean {found[0]}?" if found else f"; must be one of {', '.join(known)}"


def _problems_of_options(config: RunConfig) -> list[tuple[tuple[str, ...], str]]:
    """What is wrong in the section convert: every option alone, then all together."""
    infos = option_infos()
    found: list[tuple[tuple[str, ...], str]] = []
    for name, value in config.convert.items():
        if name not in infos:
            found.append((("convert", name), f"is no option of the conversion{_near(name, list(infos))}"))
        elif name != "method" or isinstance(value, str):
            try:
                infos[name].check(name, infos[name].read(name, value) if isinstance(value, str) else value)
            except ConfigurationError as error:
                found.append((("convert", name), str(error).removeprefix(f"{name}: ")))
    if not found:
        try:
            config.options  # noqa: B018
        except ConfigurationError as error:
            name, _, said = str(error).partition(": ")
            found.append((("convert", name), said))
    return found


def _listed(path: Path, text: str, problems: list[tuple[tuple[str, ...], str]]) -> ConfigurationError:
    lines = [f"  {path}:{line_of(text, place)}: {'.'.join(place)}: {said}" for place, said in problems]
    return ConfigurationError(f"{len(lines)} problem{'s' * (len(lines) > 1)} in {path}:\n" + "\n".join(lines))


def line_of(text: str, place: tuple[str, ...]) -> int:
    """Line of a key in a TOML text, counted from 1; that of its table, or 1, where the key is missing.

    Args:
        text: the file.
        place: tables and key.
    """
    *tables, key = place
    wanted, table, best = ".".join(tables), "", 1
    for number, line in enumerate(text.splitlines(), 1):
        if header := HEADER.match(line):
            table = header.group(1).replace('"', "")
            if table == ".".join(place):
                return number
            if table == wanted:
                best = number
        elif table == wanted and re.match(rf"\s*\"?{re.escape(key)}\"?\s*[=.]", line):
            return number
    return best
