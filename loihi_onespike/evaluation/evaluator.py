"""Running a network on labelled data part by part: alone, on several ranks, or as one shard of many jobs.

Every part gives whole numbers (`Counts`). Their sum, and with it the report, is the same to the last digit, no
matter which process counted which part, in which order, and in how many runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.core.graphs.network import Network
from loihi_onespike.core.graphs.output_form import output_shapes
from loihi_onespike.core.trace import Trace
from loihi_onespike.data.dataset import Images
from loihi_onespike.errors import ConfigurationError
from loihi_onespike.evaluation import fingerprint
from loihi_onespike.evaluation.image_counts import Counts
from loihi_onespike.evaluation.input_tally import InputTally
from loihi_onespike.evaluation.ledger import Ledger
from loihi_onespike.evaluation.parts import Part, Shard, parts_of
from loihi_onespike.evaluation.spike_counter import SpikeCounter

if TYPE_CHECKING:
    from loihi_onespike.jobs.distributed import Ranks

Progress = Callable[[int, int], None]
"""Called as progress(images done, images in all)."""


@dataclass(frozen=True, eq=False)
class Evaluator:
    """One evaluation: a network, an executor, labelled images, and perhaps the ANN.

    Attributes:
        executor: name of what `trace` runs.
        images: (N, …) floats as the ANN takes them.
        labels: (N,) class numbers.
        per_part: images of a part.
        per_step: images that are run together; fewer than a part where memory asks for it.
        trace: phases of all layers and outputs (n, classes) of the network for images (n, …).
        ann, answer: the ANN, and its outputs for images; None for both without it.
        options: options of the executor, those that its counts depend on and that are not at their defaults.
        tally: counts the input values that `trace` gets and that lie far outside the range of the calibration.
    """

    network: Network
    executor: str
    images: Images
    labels: NDArray[Any]
    per_part: int
    per_step: int
    trace: Callable[[NDArray[np.floating]], Trace]
    ann: torch.nn.Module | None = None
    answer: Callable[[NDArray[np.floating]], NDArray[np.float64]] | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    tally: InputTally | None = None

    @cached_property
    def parts(self) -> list[Part]:
        """The parts that the images are divided into."""
        return parts_of(len(self.images), self.per_part)

    @cached_property
    def facts(self) -> dict[str, object]:
        """All that the counts depend on."""
        with_options = {"options of the executor": dict(self.options)} if self.options else {}
        return {
            "network": fingerprint.of_network(self.network),
            "model": fingerprint.of_model(self.ann),
            "data": fingerprint.of_images(self.images, self.labels),
            "images": len(self.images),
            "images per part": self.per_part,
            "images per step": self.per_step,
            "executor": self.executor,
            **with_options,
        }

    def run(
        self,
        ranks: Ranks | None = None,
        resume: str | Path | None = None,
        shard: Shard | None = None,
        progress: Progress | None = None,
    ) -> Counts:
        """Counts of all parts, or of those that are finished after the parts of a shard have been counted.

        Args:
            progress: called as progress(images done, of).
            ranks: the processes that share the work; every one of them gets the sum.
            resume: folder that keeps the counts of finished parts.
            shard: count its parts alone, and what the folder holds of the others.
        """
        if ranks is not None:
            ranks.agree(self.facts)
        ledger = self._ledger(ranks, resume)
        kept = {} if ledger is None else _known_to_all(ranks, lambda: ledger.kept(self.parts))
        todo = [p for p in self.parts if p not in kept and (shard is None or p in shard)]
        before = sum(map(len, kept))
        of = len(self.images) if shard is None else before + sum(map(len, todo))
        total = Counts()

        def count(part: Part) -> int:
            nonlocal total
            counts = self.count(part)
            if ledger is not None:
                ledger.keep(part, counts)
            total += counts
            return len(part)

        def report(done: int) -> None:
            if progress is not None:
                progress(before + done, of)

        report(0)
        if ranks is None:
            for part in todo:
                count(part)
                report(total.images)
        else:
            ranks.work(todo, count, report)
            total = Counts.of_numbers(self.network, ranks.sum(total.numbers(self.network)))
        return sum(kept.values(), total)

    def count(self, part: Part) -> Counts:
        """Run the images of one part."""
        counter = self._counter
        counter.images, counter.spikes, counter.synaptic_operations, counter.nonzero_operations = 0, {}, {}, {}
        right = ann_right = agreed = 0
        outside_before = 0 if self.tally is None else self.tally.outside
        for first in range(part.first, part.end, self.per_step):
            chosen_images = slice(first, min(first + self.per_step, part.end))
            images, truth = self.images[chosen_images], self.labels[chosen_images]
            trace = self.trace(images)
            counter.add(trace.layers)
            chosen = trace.output.argmax(axis=1)
            right += int((chosen == truth).sum())
            if self.answer is not None:
                ann_chosen = self.answer(images).argmax(axis=1)
                ann_right += int((ann_chosen == truth).sum())
                agreed += int((ann_chosen == chosen).sum())
        outside = 0 if self.tally is None else self.tally.outside - outside_before
        operations, nonzero = counter.synaptic_operations, counter.nonzero_operations
        return Counts(len(part), right, ann_right, agreed, counter.spikes, operations, outside, nonzero)

    @cached_property
    def _counter(self) -> SpikeCounter:
        """One for all parts, because it keeps the fan-out of every neuron, which takes long to compute."""
        return SpikeCounter(self.network)

    def _ledger(self, ranks: Ranks | None, resume: str | Path | None) -> Ledger | None:
        if resume is None:
            return None
        if ranks is None:
            return Ledger.open(resume, self.facts)
        return ranks.from_first(lambda: Ledger.open(resume, self.facts))


def classes_of(network: Network) -> int:
    """Number of classes that a network tells apart; raises ConfigurationError when its output is not (N, classes)."""
    shapes = output_shapes(network)
    if len(shapes) > 1:
        names = ", ".join(p.name for p in network.readouts)
        raise ConfigurationError(
            f"{network.name}: must have one output to be evaluated on class labels, got {len(shapes)} ({names}); pass "
            "`metric`, a function of outputs and targets, or compare the outputs of `predict`"
        )
    (shape,) = shapes
    if len(shape) != 1:
        wanted = ", ".join(map(str, ("N", *shape)))
        raise ConfigurationError(
            f"{network.name}: must have outputs (N, classes) to be evaluated on class labels, got ({wanted}); pass "
            "`metric`, a function of outputs and targets, or compare the outputs of `predict`"
        )
    return int(shape[0])


def _known_to_all(ranks: Ranks | None, make: Callable[[], dict[Part, Counts]]) -> dict[Part, Counts]:
    return make() if ranks is None else ranks.from_first(make)
