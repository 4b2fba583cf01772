"""The complete workflow on handwritten digits: convert, quantize, export, run on Lava, compare with the oracle."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import loihi_onespike as los
from loihi_onespike.api import OneSpikeNetwork
from loihi_onespike.conversion.pipeline import Progress
from loihi_onespike.core.trace import LayerTrace, Trace, differing_spikes, first_difference
from loihi_onespike.data import Dataset, load_data
from loihi_onespike.data.digits import INPUT_BITS
from loihi_onespike.demo.picture import draw_demo
from loihi_onespike.errors import DataError
from loihi_onespike.evaluation import Evaluation
from loihi_onespike.evaluation.evaluation import Accuracy
from loihi_onespike.executors.lava import why_unavailable
from loihi_onespike.frontend.ann_output import ann_output
from loihi_onespike.json_text import json_text
from loihi_onespike.models.digits_cnn import load_digits_cnn
from loihi_onespike.regular_files import write_whole

NETWORK_FILE = "digits.h5"
PICTURE_FILE = "demo.png"
REPORT_FILE = "report.json"


@dataclass(frozen=True)
class Comparison:
    """Comparison of one executor with the oracle on the same images.

    Attributes:
        what: name of the run that is compared.
        images: number of images.
        spikes: number of compared spike phases, one per neuron and image.
        differing_spikes: number of spike phases that differ.
        first: the first difference, potentials included; empty when there is none.
        correct: number of images that were classified correctly.
        seconds: wall time of the run.
    """

    what: str
    images: int
    spikes: int
    differing_spikes: int
    first: str
    correct: int
    seconds: float

    @property
    def equal(self) -> bool:
        """Whether all spikes and potentials are equal."""
        return not self.first


@dataclass(frozen=True, eq=False)
class DemoResult:
    """Result of the demo.

    Attributes:
        network: the network, loaded from its file.
        floating: evaluation of the whole test part with float weights.
        integer: evaluation of the whole test part with INT8 weights.
        comparisons: `fast`, single images on Lava, and a stream on Lava; the last two only where Lava is installed.
        lava_missing: why Lava did not run, empty where it did.
        calibration_images: number of images that calibrated the conversion.
        files: paths of network, picture and report.
        seconds: wall time of the demo.
    """

    network: OneSpikeNetwork
    floating: Evaluation
    integer: Evaluation
    comparisons: tuple[Comparison, ...]
    lava_missing: str
    calibration_images: int
    files: dict[str, Path]
    seconds: float

    @property
    def lava_accuracy(self) -> Accuracy | None:
        """Accuracy on all images that ran on Lava, None where Lava did not run."""
        runs = [c for c in self.comparisons if c.what.startswith("Lava")]
        return Accuracy(sum(c.correct for c in runs), sum(c.images for c in runs)) if runs else None

    @property
    def equal(self) -> bool:
        """Whether every executor is equal to the oracle."""
        return all(c.equal for c in self.comparisons)

    def to_dict(self) -> dict[str, object]:
        """The result as values for JSON."""
        lava = self.lava_accuracy
        return {
            "equal_to_oracle": self.equal,
            "float": self.floating.to_dict(),
            "int8": self.integer.to_dict(),
            "lava_accuracy": None if lava is None else lava.to_dict(),
            "lava_missing": self.lava_missing or None,
            "comparisons": [asdict(c) for c in self.comparisons],
            "options": self.network.network.facts.get("options"),
            "calibration_images": self.calibration_images,
            "files": {name: str(path) for name, path in self.files.items()},
            "seconds": round(self.seconds, 1),
        }


def run_demo(
    out: Path,
    *,
    images: int = 50,
    stream_images: int = 10,
    timesteps: int = 16,
    wait: int | None = None,
    timeout_s: float | None = 600.0,
    progress: Progress | None = None,
) -> DemoResult:
    """Convert, quantize, export, load, evaluate, run on Lava, compare, and draw.

    Args:
        out: folder for the files, which is created if it does not exist.
        images: number of test images that Lava runs one by one.
        stream_images: number of further test images that Lava runs as a pipelined stream.
        timesteps, wait: as for `convert`.
        timeout_s: time limit of each run on Lava in seconds.
        progress: called as progress(what, done, of).

    Raises:
        DataError: the test part has fewer images than asked for.
        LavaError: Lava is installed but fails.
    """
    started = time.perf_counter()
    report = progress or (lambda what, done, of: None)
    data = load_data("digits")
    if images + stream_images > len(data):
        raise DataError(
            f"images: must be at most {len(data)} together, the test part of the digits, got {images} single and "
            f"{stream_images} streamed"
        )
    model = load_digits_cnn()
    converted = los.convert(
        model, data.calibration, timesteps=timesteps, wait=wait, input_bits=INPUT_BITS, progress=progress
    )
    out.mkdir(parents=True, exist_ok=True)
    path = converted.save(out / NETWORK_FILE)
    net = los.load(path)  # everything below uses the file only

    x, y = np.asarray(data.images), data.labels
    floating = converted.evaluate(x, y, "float", progress=_step(report, "evaluate float"))
    integer = net.evaluate(x, y, "fast", model=model, progress=_step(report, "evaluate INT8"))
    comparisons, missing = _compare(net, data, images, stream_images, timeout_s, report)
    shown = slice(0, images)
    picture = draw_demo(
        out / PICTURE_FILE,
        net.network,
        net.trace(x[shown]),
        x[shown],
        y[shown],
        ann_output(model, x[shown]),
        data.classes,
    )
    files = {"network": path, "picture": picture, "report": out / REPORT_FILE}
    result = DemoResult(
        net, floating, integer, comparisons, missing, len(data.calibration), files, time.perf_counter() - started
    )
    write_whole(files["report"], (json_text(result.to_dict()) + "\n").encode("utf-8"))
    return result


def _step(report: Progress, what: str) -> Callable[[int, int], None]:
    return lambda done, of: report(what, done, of)


def _compare(
    net: OneSpikeNetwork, data: Dataset, images: int, stream_images: int, timeout_s: float | None, report: Progress
) -> tuple[tuple[Comparison, ...], str]:
    """Comparison of every executor with the oracle, and the reason why Lava is missing, if it is."""
    total = images + stream_images
    x, y = np.asarray(data.images)[:total], data.labels[:total]
    oracle = net.trace(x, "reference")
    report("oracle", total, total)
    started = time.perf_counter()
    found = [_comparison("fast", oracle, net.trace(x, "fast"), y, started)]
    missing = why_unavailable()
    if missing is not None:
        return tuple(found), missing
    for what, span in (("Lava, one by one", slice(0, images)), ("Lava, stream", slice(images, total))):
        stream, progress = what == "Lava, stream", _step(report, f"{what} (steps)")
        started = time.perf_counter()
        trace = net.trace(x[span], "lava", stream=stream, timeout_s=timeout_s, progress=progress)
        found.append(_comparison(what, _part(oracle, span), trace, y[span], started))
    return tuple(found), ""


def _part(trace: Trace, span: slice) -> Trace:
    """The trace of some of the images; every window starts from the bias, so it does not depend on the others."""

    def cut(values: NDArray[np.integer] | None) -> NDArray[np.integer] | None:
        return None if values is None else values[span]

    layers = {name: LayerTrace(cut(layer.words), cut(layer.v)) for name, layer in trace.layers.items()}
    return Trace(layers, trace.output[span])


def _comparison(what: str, oracle: Trace, trace: Trace, labels: NDArray[np.int64], started: float) -> Comparison:
    seconds = time.perf_counter() - started
    compared = sum(np.asarray(layer.words).size for layer in oracle.layers.values() if layer.words is not None)
    different = first_difference(oracle, trace)
    return Comparison(
        what,
        len(labels),
        compared,
        differing_spikes(oracle, trace),
        "" if different is None else str(different),
        int((trace.output.argmax(axis=1) == labels).sum()),
        seconds,
    )
