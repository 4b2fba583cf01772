"""Valid files that people, boards and earlier runs hand back, and what the toolkit does with each of them."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from loihi_onespike.json_text import json_text
from tests.support.networks import digits, dips, levels

IMAGES = 6
FACTS = {"network": "net.h5", "images": IMAGES}


def trace_files() -> tuple[bytes, ...]:
    """Observations of the bring-up ladder: those of the oracle on two rungs."""
    from loihi_onespike.boards.deployment.bringup.ladder import LADDER
    from loihi_onespike.boards.deployment.bringup.observed import document_of

    observed = {rung.name: rung.expected() for rung in LADDER[:2]}
    return (json.dumps(document_of(observed)).encode(),)


def read_trace(path: Path) -> object:
    """What `onespike bringup --explain` reads."""
    from loihi_onespike.boards.deployment.bringup.observed import read_observed

    return read_observed(path)


def _front() -> Any:
    from loihi_onespike.analysis.tuning.front import Front, Point
    from loihi_onespike.analysis.tuning.limits import Limits, NetworkFigures
    from loihi_onespike.analysis.tuning.setting import ConversionSetting
    from loihi_onespike.evaluation.evaluation import Accuracy

    settings = [ConversionSetting(4, 3, "auto", True), ConversionSetting(8, 8, 1.3, False)]
    figures = [NetworkFigures(Accuracy(90 + i, 100), Accuracy(97, 100), 10 + i, 8, 0.5, 1000.0, 3.5) for i in range(2)]
    points = [Point(s, i, f, f) for i, (s, f) in enumerate(zip(settings, figures, strict=True))]
    refused = {ConversionSetting(6, 6, 2.0, True): "conv1: potential requires 26 bits"}
    images = {"search": {"source": "digits", "count": 100}}
    return Front(points, Limits(loss_pp=5.0), images, dict(zip(settings, figures, strict=True)), refused)


def front_files() -> tuple[bytes, ...]:
    """The document of `onespike tune --json`."""
    return (json_text(_front().to_dict()).encode(),)


def read_front(path: Path) -> object:
    """The front, and what the page of `onespike report` shows of it."""
    from loihi_onespike.analysis.tuning import stored_front

    return json_text(stored_front(path).to_dict()).encode()


def study_files() -> tuple[bytes, ...]:
    """The journal of a search of two trials with its front."""
    from loihi_onespike.analysis.tuning.limits import Limits
    from loihi_onespike.analysis.tuning.setting import Space
    from loihi_onespike.analysis.tuning.stored_front import HELD_OUT
    from loihi_onespike.analysis.tuning.study import Study, storage_of

    space = Space((4, 8), (8,), (1.3,), (False,))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "study.journal"
        study = Study(storage_of(path), {"space": vars(space)}, space, Limits(), 0)
        for point in _front().points:
            asked = study.ask()
            assert asked is not None
            study.tell(asked[0], point.search)
            study._study.set_user_attr(f"{HELD_OUT}{'0' * 16} {asked[0].number}", point.held_out.to_dict())
        return (path.read_bytes(),)


def config_files() -> tuple[bytes, ...]:
    """A configuration of `onespike build` with every section."""
    return (
        b"""folder = "run"
[model]
source = "model.py:build"
weights = "weights.safetensors"
[data]
calibration = "data.npz"
calibration_images = 32
resize = 8
[convert]
timesteps = 8
weight_bits = 8
method = "paper"
[tune]
max_loss = 0.5
trials = 3
timesteps = [4, 8]
[evaluate]
images = 50
executor = "fast"
[map]
board = "oheo_gulch"
[report]
show_images = 2
""",
    )


def read_config(path: Path) -> object:
    """The configuration, and its options of the conversion."""
    from loihi_onespike.cli.arguments.run_config import read_config

    return read_config(path).options


def _ledger(folder: Path) -> Any:
    from loihi_onespike.evaluation.ledger import Ledger

    return Ledger.open(folder, FACTS)


def _part() -> Any:
    from loihi_onespike.evaluation.parts import parts_of

    return parts_of(IMAGES, IMAGES)[0]


def part_files() -> tuple[bytes, ...]:
    """The counts of a part in the folder of `onespike evaluate --resume`."""
    from loihi_onespike.evaluation.image_counts import Counts

    with TemporaryDirectory() as folder:
        counts = Counts(IMAGES, 5, 6, 5, {"input": 70, "conv1": 31}, {"conv1": 450}, 0, {"conv1": 400})
        _ledger(Path(folder)).keep(_part(), counts)
        return ((Path(folder) / "part.000000.json").read_bytes(),)


def read_part(path: Path) -> object:
    """The counts, as a run that continues reads them."""
    with TemporaryDirectory() as folder:
        ledger = _ledger(Path(folder))
        shutil.copy(path, Path(folder) / "part.000000.json")
        return ledger.kept([_part()])


def run_files() -> tuple[bytes, ...]:
    """What the counts of an evaluation depend on, and the record of `onespike build`."""
    from loihi_onespike.cli.execution.run_record import RECORD, BuildStep, Done, RunRecord

    with TemporaryDirectory() as folder:
        _ledger(Path(folder) / "evaluation")
        record, step = RunRecord(Path(folder)), _step()
        record.keep(BuildStep(step.name, step.inputs, (), step.work), Done("done", False, {"accuracy": 0.9}))
        return ((Path(folder) / RECORD).read_bytes(), (Path(folder) / "evaluation" / "run.json").read_bytes())


def _step() -> Any:
    from loihi_onespike.cli.execution.run_record import BuildStep, Done

    return BuildStep("evaluate", {"images": IMAGES}, (), lambda: Done("done"))


def read_run(path: Path) -> object:
    """The record as both commands read it."""
    from loihi_onespike.cli.execution.run_record import RunRecord
    from loihi_onespike.errors import OneSpikeError

    with TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(path, folder / "run.json")
        try:
            return _ledger(folder)
        except OneSpikeError:
            return str(RunRecord(folder).finished(_step()))


def report_files() -> tuple[bytes, ...]:
    """Reports of jobs of `onespike deploy --slurm`: a difference, and a network that did not run."""
    compared = {"equal": False, "images": IMAGES, "first": "conv1 differs"}
    reports: tuple[Mapping[str, object], ...] = (
        {"failed": True, "comparison": compared, "not_run": None},
        {"failed": False, "comparison": None, "not_run": "a dry run"},
    )
    return tuple(json_text(report).encode() for report in reports)


def read_report(path: Path) -> object:
    """The report, and what the table of all reports shows of it."""
    from loihi_onespike.cli.execution.deploy_array import Run, _verdict
    from loihi_onespike.errors import DataError

    found = Run(Path("net.h5"), "1/1", path.with_suffix(""), None, True).finished
    if found is None:
        raise DataError("the report counts as missing")
    return str(_verdict(found))


def nir_files() -> tuple[bytes, ...]:
    """Graphs of NIR, as `onespike export --nir` writes them."""
    import nir

    from loihi_onespike.neighbours.nir import nir_graph

    files = []
    for network in (levels(), digits(), dips()):
        file = io.BytesIO()
        nir.write(file, nir_graph(network))
        files.append(file.getvalue())
    return tuple(files)


def read_nir(path: Path) -> object:
    """The network of a graph. What the package `nir` itself refuses has not reached the toolkit."""
    import nir

    from loihi_onespike.errors import NirError
    from loihi_onespike.neighbours.nir import network_of

    try:
        graph = nir.read(path)
    except Exception as error:
        raise NirError(f"not a graph of NIR: {type(error).__name__}") from error
    return network_of(graph)
