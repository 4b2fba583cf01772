"""Distance of an output from that of the ANN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

Float = NDArray[np.float64]


@dataclass(frozen=True)
class OutputError:
    """Error of outputs y against those of the ANN a, over N samples.

        relative = ‖y - a‖ / ‖a‖ over all samples together; of several outputs the root of the mean of its squares
        kl       = mean over samples of Σ_c p_c (ln p_c - ln q_c), p and q the softmax of a and y over the classes

    Attributes:
        relative, kl: as above; kl in nats.
        agreement: share of samples with the same class.
        accuracy: share of samples with the right class, None without labels.
    """

    relative: float
    kl: float
    agreement: float
    accuracy: float | None = None

    def measured(self, measure: str) -> float:
        """Error in the unit of the losses: `kl`, or for "relative" the squared relative error."""
        return self.kl if measure == "kl" else self.relative**2

    def to_dict(self) -> dict[str, object]:
        """JSON-like values by attribute."""
        return asdict(self)


@dataclass
class ErrorSum:
    """Sum of the error over batches.

    Attributes:
        squares: ‖y - a‖² per sample, one array per batch.
        reference: ‖a‖² per sample.
        divergence: KL divergence per sample in nats.
        places: decisions counted, one per sample and position.
        agreed: decisions that equal those of the ANN.
        right: correct decisions; None without labels.
    """

    squares: list[Float] = field(default_factory=list)
    reference: list[Float] = field(default_factory=list)
    divergence: list[Float] = field(default_factory=list)
    places: int = 0
    agreed: int = 0
    right: int | None = None

    @classmethod
    def like(cls, other: ErrorSum) -> ErrorSum:
        """Independent copy."""
        squares, reference, divergence = list(other.squares), list(other.reference), list(other.divergence)
        return cls(squares, reference, divergence, other.places, other.agreed, other.right)

    def add(self, output: Float, ann: Float, finish: str, labels: NDArray[np.integer] | None = None) -> None:
        """Add one batch of outputs (B, classes, …) in the units of the ANN's output.

        Outputs of a softmax over the last axis have their classes there: (B, …, classes).

        Args:
            output: outputs of the network.
            ann: outputs of the ANN.
            finish: function that the outputs have passed, see `core.graphs.network.Readout`.
            labels: (B, …) correct classes.
        """
        if finish.endswith("_last"):
            output, ann = (np.moveaxis(values, -1, 1) for values in (output, ann))
        samples = len(ann)
        self.squares.append(((output - ann) ** 2).reshape(samples, -1).sum(axis=1))
        self.reference.append((ann**2).reshape(samples, -1).sum(axis=1))
        expected, found = log_probabilities(ann, finish), log_probabilities(output, finish)
        divergence = (np.exp(expected) * (expected - found)).sum(axis=1)
        self.divergence.append(divergence.reshape(samples, -1).mean(axis=1))
        self.places += ann[:, 0].size
        chosen = output.argmax(axis=1)
        self.agreed += int((chosen == ann.argmax(axis=1)).sum())
        if labels is not None:
            self.right = (self.right or 0) + int((chosen == labels).sum())

    def add_all(
        self,
        outputs: Sequence[Float],
        anns: Sequence[Float],
        finishes: Sequence[str],
        labels: NDArray[np.integer] | None = None,
    ) -> None:
        """Add one batch of all outputs; of several, each counts relative to its own size in the batch.

        Args:
            outputs, anns, finishes: as of `add`, for every output.
            labels: as of `add`, for a network with one output.
        """
        if len(outputs) == 1:
            self.add(outputs[0], anns[0], finishes[0], labels)
            return
        parts = []
        for output, ann, finish in zip(outputs, anns, finishes, strict=True):
            part = ErrorSum()
            size = float(np.sqrt(np.mean(np.square(ann).reshape(len(ann), -1).sum(axis=1)))) or 1.0
            part.add(output, ann, finish)
            part.squares[0], part.reference[0] = part.squares[0] / size**2, part.reference[0] / size**2
            parts.append(part)
        self.squares.append(np.sum([part.squares[0] for part in parts], axis=0))
        self.reference.append(np.sum([part.reference[0] for part in parts], axis=0))
        self.divergence.append(np.mean([part.divergence[0] for part in parts], axis=0))
        self.places += sum(part.places for part in parts)
        self.agreed += sum(part.agreed for part in parts)

    @property
    def error(self) -> OutputError:
        """Error over all batches so far."""
        squares, reference = (float(np.concatenate(v).sum()) for v in (self.squares, self.reference))
        relative = sqrt(squares / reference) if reference else float(squares > 0)
        places = max(self.places, 1)
        accuracy = None if self.right is None else self.right / places
        kl = max(float(np.concatenate(self.divergence).mean()), 0.0)
        return OutputError(relative, kl, self.agreed / places, accuracy)

    def uncertainty(self, other: ErrorSum, measure: str) -> float:
        """Standard error of the difference between two errors on the same samples, in units of the measure."""
        if measure == "kl":
            per_sample = np.concatenate(self.divergence) - np.concatenate(other.divergence)
        else:
            size = float(np.concatenate(self.reference).mean()) or 1.0
            per_sample = (np.concatenate(self.squares) - np.concatenate(other.squares)) / size
        return float(per_sample.std() / sqrt(len(per_sample)))


SMALLEST = 1e-30
"""Smallest probability; it keeps the logarithm finite."""


def log_probabilities(output: Float, finish: str) -> Float:
    """Logarithm of the class probabilities (B, classes, …) of outputs."""
    kind = finish.removesuffix("_last")
    if kind == "log_softmax":
        return output
    return np.log(np.maximum(output, SMALLEST)) if kind == "softmax" else log_softmax(output, axis=1)
